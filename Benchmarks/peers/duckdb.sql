-- The segments as DuckDB counts them best: events clustered by channel, event and time; ids are numbers.
-- {online_store} and {sale_or_welcome} stand for the numbers of the campaigns that the rule's tags choose.

-- 01
SELECT count(*) FROM (SELECT profile FROM events WHERE channel = 'email' AND event = 'opened' GROUP BY profile);
-- 02
SELECT (SELECT count(*) FROM profiles)
     - (SELECT count(DISTINCT profile) FROM events WHERE channel = 'sms' AND event = 'clicked');
-- 03
SELECT count(*) FROM (SELECT profile FROM events WHERE channel = 'email' AND event = 'opened'
                      GROUP BY profile HAVING count(*) >= 5);
-- 04
SELECT count(*) FROM (SELECT profile FROM events WHERE channel = 'email' AND event = 'clicked'
                      AND campaign IN (1, 2, 3, 5, 8, 13, 21, 34, 55, 89) GROUP BY profile HAVING count(*) >= 2);
-- 05
SELECT count(*) FROM (SELECT DISTINCT profile FROM events
                      WHERE channel = 'email' AND event = 'delivered' AND campaign IN (4, 40, 140)) AS delivered
    ANTI JOIN (SELECT profile FROM events
               WHERE channel = 'email' AND event = 'opened' AND campaign IN (4, 40, 140)) AS opened USING (profile);
-- 06
SELECT count(*) FROM (SELECT profile FROM events WHERE channel = 'email' AND event = 'opened'
                      AND time >= '2025-12-02' GROUP BY profile);
-- 07
SELECT count(*) FROM (SELECT profile FROM events WHERE channel = 'email' AND event = 'opened'
                      AND time >= '2025-10-03' GROUP BY profile HAVING count(*) >= 3);
-- 08
SELECT count(*) FROM (SELECT DISTINCT profile FROM events
                      WHERE channel = 'email' AND event = 'delivered' AND time >= '2025-12-02') AS delivered
    ANTI JOIN (SELECT profile FROM events
               WHERE channel = 'push' AND event = 'sent' AND time >= '2025-12-25') AS sent USING (profile);
-- 09
SELECT count(*) FROM profiles
WHERE country IN ('DE', 'FR', 'US') AND age BETWEEN 25 AND 34
  AND profile IN (SELECT profile FROM events WHERE channel = 'email' AND event = 'opened' AND time >= '2025-11-02'
                  GROUP BY profile HAVING count(*) >= 2)
  AND profile NOT IN (SELECT profile FROM events WHERE channel = 'email' AND event = 'unsubscribe_clicked');
-- 10
SELECT count(DISTINCT profile) FROM events WHERE channel = 'email' AND event = 'clicked' AND campaign IN ({online_store});
-- 11
SELECT count(DISTINCT profile) FROM events WHERE channel = 'email' AND event = 'clicked' AND link = 3;
-- 12
SELECT count(*) FROM (SELECT profile FROM events WHERE channel = 'email' AND event = 'opened'
                      AND template IN (5, 6, 527, 591) AND time >= '2025-05-15' AND time < '2025-08-16'
                      GROUP BY profile HAVING count(*) >= 2);
-- 13
SELECT count(*) FROM profiles
WHERE (country IN ('DE', 'FR') OR ltv > 9999 OR list_has_any(interests, ['sports', 'travel']))
  AND registered < TIMESTAMP '2025-09-30 22:00:00'
  AND (profile IN (SELECT profile FROM events WHERE channel = 'email' AND event = 'clicked'
                   AND time >= '2025-06-30 22:00:00' GROUP BY profile HAVING count(*) >= 2)
       OR (profile IN (SELECT profile FROM events WHERE channel = 'push' AND event = 'opened'
                       AND time >= '2025-11-01 23:00:00' AND time < '2025-12-25 23:00:00')
           AND profile NOT IN (SELECT profile FROM events WHERE channel = 'sms' AND event = 'clicked'))
       OR profile IN (SELECT profile FROM events WHERE channel = 'email' AND event = 'opened'
                      AND campaign IN ({sale_or_welcome}) GROUP BY profile HAVING count(*) >= 3))
  AND profile IN (SELECT profile FROM events WHERE channel = 'email' AND event = 'delivered'
                  AND time >= '2025-11-16 23:00:00')
  AND profile NOT IN (SELECT profile FROM events WHERE channel = 'email' AND event = 'unsubscribe_clicked');
-- 14
SELECT count(*) FROM profiles WHERE country = 'DE' AND age BETWEEN 25 AND 34 AND vip;
-- 15
SELECT count(*) FROM (
    SELECT profile FROM (SELECT profile, message, min(time) AS first FROM events
                         WHERE channel = 'email' AND event = 'clicked' GROUP BY profile, message)
    WHERE first >= '2025-03-01' AND first < '2025-10-01' GROUP BY profile HAVING count(*) >= 2);
-- 16
SELECT count(DISTINCT profile) FROM (SELECT profile, message FROM events
        WHERE channel = 'email' AND event = 'delivered' AND time >= '2025-06-01' AND time < '2025-07-01') AS delivered
    ANTI JOIN (SELECT profile, message FROM events
               WHERE channel = 'email' AND event = 'opened' AND time >= '2025-06-01' AND time < '2025-07-01') AS opened
    USING (profile, message);
-- 17
SELECT count(*) FROM (
    SELECT profile FROM events WHERE channel = 'email' AND event = 'delivered'
       AND campaign IN (50, 196, 134, 213, 291, 288, 246, 206, 89, 260, 280, 295, 304, 115, 98, 72, 236, 140, 16, 3)
    GROUP BY profile HAVING count(DISTINCT campaign) = 20);
-- 18
SELECT count(*) FROM (SELECT profile FROM events WHERE channel = 'email' AND event = 'opened'
                      AND time >= '2025-04-02' AND time <= '2025-07-01' GROUP BY profile HAVING count(*) >= 3);
-- 19
SELECT count(*) FROM profiles WHERE contains(email, '77@inbox');
-- 21
SELECT count(*) FROM (
    SELECT max(time) FILTER (event = 'delivered') AS delivered, max(time) FILTER (event = 'opened') AS opened FROM events
    WHERE channel = 'email' AND event IN ('delivered', 'opened') AND campaign IN (4, 40, 140) GROUP BY profile)
WHERE delivered IS NOT NULL AND (opened IS NULL OR opened <= delivered);
-- 22
SELECT count(*) FROM (
    SELECT max(time) FILTER (event = 'delivered') AS delivered, max(time) FILTER (event = 'opened') AS opened FROM events
    WHERE channel = 'email' AND event IN ('delivered', 'opened') GROUP BY profile)
WHERE delivered IS NOT NULL AND (opened IS NULL OR opened <= delivered);
-- 23
SELECT count(DISTINCT profile) FROM (SELECT profile, message, min(time) AS first FROM events
        WHERE channel = 'email' AND event = 'opened' GROUP BY profile, message) AS opened
    JOIN (SELECT profile, message, time FROM events WHERE channel = 'email' AND event = 'clicked') AS clicked
    USING (profile, message) WHERE time > first AND time <= first + INTERVAL 1 HOUR;
-- 24
SELECT count(*) FROM (SELECT profile FROM events WHERE channel = 'email' AND event = 'clicked'
                      AND campaign IN ({online_store}) GROUP BY profile HAVING count(DISTINCT campaign) >= 3);
-- 25
SELECT count(DISTINCT profile) FROM events WHERE channel = 'email' AND event = 'opened' AND campaign IN (
    SELECT campaign FROM events WHERE channel = 'email' AND event = 'sent'
    GROUP BY campaign ORDER BY min(time) DESC, 'c' || campaign DESC LIMIT 5);
-- 26
SELECT count(*) FROM profiles WHERE birthday <= DATE '2001-01-01' AND birthday > DATE '1991-01-01';
-- 27
SELECT count(DISTINCT profile) FROM events
WHERE channel = 'email' AND event = 'opened' AND NOT machine AND time >= '2025-10-03';
-- 28
SELECT count(DISTINCT profile) FROM subscriptions WHERE channel = 'email' AND status = 'subscribed';
-- 29
SELECT count(*) FROM (SELECT profile FROM subscriptions WHERE channel = 'push'
                      GROUP BY profile HAVING NOT bool_or(status = 'subscribed'));
-- 30
SELECT count(*) FROM (SELECT profile FROM subscriptions
                      WHERE channel = 'push' AND status = 'subscribed' AND provider = 'android_fcm'
                      GROUP BY profile HAVING count(*) >= 2);
-- 31
SELECT count(*) FROM (SELECT profile FROM goals WHERE goal = 'purchase' AND time >= '2025-10-03'
                      GROUP BY profile HAVING sum(value) >= 10000);
-- 32
SELECT count(*) FROM (SELECT DISTINCT profile FROM goals WHERE goal = 'add_to_cart') AS cart
    ANTI JOIN (SELECT profile FROM goals WHERE goal = 'purchase') AS bought USING (profile);
-- 33
SELECT count(*) FROM (SELECT profile FROM goals WHERE goal = 'purchase'
                      GROUP BY profile HAVING count(*) >= 2 AND sum(value) >= 5000 * count(value));
