CREATE OR REPLACE TEMP TABLE merged AS
SELECT began_at, tier, stage, channel, use_case, bucket, sum(actions)::BIGINT AS actions, sum(clipped)::BIGINT AS clipped
FROM cockpit.latency_measures
GROUP BY ALL;
DELETE FROM cockpit.latency_measures;
INSERT INTO cockpit.latency_measures FROM merged ORDER BY ALL;
DROP TABLE merged;
