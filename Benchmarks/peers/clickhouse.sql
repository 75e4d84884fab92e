-- The same for ClickHouse; tables are ordered and ids are numbers as in duckdb.sql.
-- {online_store} and {sale_or_welcome} stand for the numbers of the campaigns that the rule's tags choose.

-- 01
SELECT uniqExact(profile) FROM events WHERE channel = 'email' AND event = 'opened';
-- 02
SELECT (SELECT count() FROM profiles)
     - (SELECT uniqExact(profile) FROM events WHERE channel = 'sms' AND event = 'clicked');
-- 03
SELECT count() FROM (SELECT profile FROM events WHERE channel = 'email' AND event = 'opened'
                      GROUP BY profile HAVING count() >= 5);
-- 04
SELECT count() FROM (SELECT profile FROM events WHERE channel = 'email' AND event = 'clicked'
                      AND campaign IN (1, 2, 3, 5, 8, 13, 21, 34, 55, 89) GROUP BY profile HAVING count() >= 2);
-- 05
SELECT uniqExact(profile) FROM events
WHERE channel = 'email' AND event = 'delivered' AND campaign IN (4, 40, 140)
  AND profile NOT IN (SELECT profile FROM events
                      WHERE channel = 'email' AND event = 'opened' AND campaign IN (4, 40, 140));
-- 06
SELECT uniqExact(profile) FROM events WHERE channel = 'email' AND event = 'opened' AND time >= '2025-12-02 00:00:00';
-- 07
SELECT count() FROM (SELECT profile FROM events WHERE channel = 'email' AND event = 'opened'
                      AND time >= '2025-10-03 00:00:00' GROUP BY profile HAVING count() >= 3);
-- 08
SELECT uniqExact(profile) FROM events
WHERE channel = 'email' AND event = 'delivered' AND time >= '2025-12-02 00:00:00'
  AND profile NOT IN (SELECT profile FROM events WHERE channel = 'push' AND event = 'sent' AND time >= '2025-12-25 00:00:00');
-- 09
SELECT count() FROM profiles
WHERE country IN ('DE', 'FR', 'US') AND age BETWEEN 25 AND 34
  AND profile IN (SELECT profile FROM events WHERE channel = 'email' AND event = 'opened' AND time >= '2025-11-02 00:00:00'
                  GROUP BY profile HAVING count() >= 2)
  AND profile NOT IN (SELECT profile FROM events WHERE channel = 'email' AND event = 'unsubscribe_clicked');
-- 10
SELECT uniqExact(profile) FROM events WHERE channel = 'email' AND event = 'clicked' AND campaign IN ({online_store});
-- 11
SELECT uniqExact(profile) FROM events WHERE channel = 'email' AND event = 'clicked' AND link = 3;
-- 12
SELECT count() FROM (SELECT profile FROM events WHERE channel = 'email' AND event = 'opened'
                      AND template IN (5, 6, 527, 591) AND time >= '2025-05-15 00:00:00' AND time < '2025-08-16 00:00:00'
                      GROUP BY profile HAVING count() >= 2);
-- 13
SELECT count() FROM profiles
WHERE (country IN ('DE', 'FR') OR ltv > 9999 OR hasAny(interests, ['sports', 'travel']))
  AND registered < '2025-09-30 22:00:00'
  AND (profile IN (SELECT profile FROM events WHERE channel = 'email' AND event = 'clicked'
                   AND time >= '2025-06-30 22:00:00' GROUP BY profile HAVING count() >= 2)
       OR (profile IN (SELECT profile FROM events WHERE channel = 'push' AND event = 'opened'
                       AND time >= '2025-11-01 23:00:00' AND time < '2025-12-25 23:00:00')
           AND profile NOT IN (SELECT profile FROM events WHERE channel = 'sms' AND event = 'clicked'))
       OR profile IN (SELECT profile FROM events WHERE channel = 'email' AND event = 'opened'
                      AND campaign IN ({sale_or_welcome}) GROUP BY profile HAVING count() >= 3))
  AND profile IN (SELECT profile FROM events WHERE channel = 'email' AND event = 'delivered'
                  AND time >= '2025-11-16 23:00:00')
  AND profile NOT IN (SELECT profile FROM events WHERE channel = 'email' AND event = 'unsubscribe_clicked');
-- 14
SELECT count() FROM profiles WHERE country = 'DE' AND age BETWEEN 25 AND 34 AND vip;
-- 15
SELECT count() FROM (
    SELECT profile FROM (SELECT profile, message, min(time) AS first FROM events
                         WHERE channel = 'email' AND event = 'clicked' GROUP BY profile, message)
    WHERE first >= '2025-03-01 00:00:00' AND first < '2025-10-01 00:00:00' GROUP BY profile HAVING count() >= 2);
-- 16
SELECT uniqExact(profile) FROM events
WHERE channel = 'email' AND event = 'delivered' AND time >= '2025-06-01 00:00:00' AND time < '2025-07-01 00:00:00'
  AND (profile, message) NOT IN (SELECT profile, message FROM events WHERE channel = 'email' AND event = 'opened'
                                 AND time >= '2025-06-01 00:00:00' AND time < '2025-07-01 00:00:00');
-- 17
SELECT count() FROM (
    SELECT profile FROM events WHERE channel = 'email' AND event = 'delivered'
       AND campaign IN (50, 196, 134, 213, 291, 288, 246, 206, 89, 260, 280, 295, 304, 115, 98, 72, 236, 140, 16, 3)
    GROUP BY profile HAVING uniqExact(campaign) = 20);
-- 18
SELECT count() FROM (SELECT profile FROM events WHERE channel = 'email' AND event = 'opened'
                      AND time >= '2025-04-02 00:00:00' AND time <= '2025-07-01 00:00:00' GROUP BY profile HAVING count() >= 3);
-- 19
SELECT count() FROM profiles WHERE position(email, '77@inbox') > 0;
-- 21
SELECT count() FROM (
    SELECT maxIf(time, event = 'delivered') AS delivered, maxIf(time, event = 'opened') AS opened FROM events
    WHERE channel = 'email' AND event IN ('delivered', 'opened') AND campaign IN (4, 40, 140) GROUP BY profile)
WHERE toUnixTimestamp(delivered) > 0 AND opened <= delivered;
-- 22
SELECT count() FROM (
    SELECT maxIf(time, event = 'delivered') AS delivered, maxIf(time, event = 'opened') AS opened FROM events
    WHERE channel = 'email' AND event IN ('delivered', 'opened') GROUP BY profile)
WHERE toUnixTimestamp(delivered) > 0 AND opened <= delivered;
-- 23
SELECT uniqExact(profile) FROM (SELECT profile, message, time FROM events
        WHERE channel = 'email' AND event = 'clicked') AS clicked
    INNER JOIN (SELECT profile, message, min(time) AS first FROM events WHERE channel = 'email' AND event = 'opened'
                AND (profile, message) IN (SELECT profile, message FROM events
                                           WHERE channel = 'email' AND event = 'clicked')
                GROUP BY profile, message) AS opened
    USING (profile, message) WHERE time > first AND time <= first + INTERVAL 1 HOUR;
-- 24
SELECT count() FROM (SELECT profile FROM events WHERE channel = 'email' AND event = 'clicked'
                     AND campaign IN ({online_store}) GROUP BY profile HAVING uniqExact(campaign) >= 3);
-- 25
SELECT uniqExact(profile) FROM events WHERE channel = 'email' AND event = 'opened' AND campaign IN (
    SELECT campaign FROM events WHERE channel = 'email' AND event = 'sent'
    GROUP BY campaign ORDER BY min(time) DESC, concat('c', toString(campaign)) DESC LIMIT 5);
-- 26
SELECT count() FROM profiles WHERE birthday <= toDate32('2001-01-01') AND birthday > toDate32('1991-01-01');
-- 27
SELECT uniqExact(profile) FROM events
WHERE channel = 'email' AND event = 'opened' AND NOT machine AND time >= '2025-10-03';
-- 28
SELECT uniqExact(profile) FROM subscriptions WHERE channel = 'email' AND status = 'subscribed';
-- 29
SELECT count() FROM (SELECT profile FROM subscriptions WHERE channel = 'push'
                     GROUP BY profile HAVING max(status = 'subscribed') = 0);
-- 30
SELECT count() FROM (SELECT profile FROM subscriptions
                     WHERE channel = 'push' AND status = 'subscribed' AND provider = 'android_fcm'
                     GROUP BY profile HAVING count() >= 2);
-- 31
SELECT count() FROM (SELECT profile FROM goals WHERE goal = 'purchase' AND time >= '2025-10-03'
                     GROUP BY profile HAVING sum(value) >= 10000);
-- 32
SELECT count() FROM (SELECT profile FROM goals WHERE goal IN ('add_to_cart', 'purchase')
                     GROUP BY profile HAVING max(goal = 'add_to_cart') = 1 AND max(goal = 'purchase') = 0);
-- 33
SELECT count() FROM (SELECT profile FROM goals WHERE goal = 'purchase'
                     GROUP BY profile HAVING count() >= 2 AND sum(value) >= 5000 * count());
