CREATE OR REPLACE TEMP TABLE merged AS
SELECT began_at, tier, source, outcome, sum(events)::BIGINT AS events
FROM cockpit.intake
GROUP BY ALL;
DELETE FROM cockpit.intake;
INSERT INTO cockpit.intake FROM merged ORDER BY ALL;
DROP TABLE merged;
