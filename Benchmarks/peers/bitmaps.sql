-- Prepared groupBitmap states in ClickHouse, one per channel, event and campaign: set algebra only.

-- 01
SELECT groupBitmapMerge(profiles) FROM states WHERE channel = 'email' AND event = 'opened';
-- 02
SELECT (SELECT count() FROM profiles)
     - (SELECT groupBitmapMerge(profiles) FROM states WHERE channel = 'sms' AND event = 'clicked');
-- 05
SELECT bitmapAndnotCardinality(
    (SELECT groupBitmapMergeState(profiles) FROM states
     WHERE channel = 'email' AND event = 'delivered' AND campaign IN (4, 40, 140)),
    (SELECT groupBitmapMergeState(profiles) FROM states
     WHERE channel = 'email' AND event = 'opened' AND campaign IN (4, 40, 140)));
-- 10
SELECT groupBitmapMerge(profiles) FROM states
WHERE channel = 'email' AND event = 'clicked' AND campaign IN ({online_store});
