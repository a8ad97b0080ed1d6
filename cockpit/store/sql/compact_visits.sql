CREATE OR REPLACE TEMP TABLE merged AS
SELECT day, source, channel, segment, profile_id, session_id,
    sum(events)::BIGINT AS events, sum(orders)::BIGINT AS orders, sum(value_cents)::BIGINT AS value_cents,
    sum(costed_value_cents)::BIGINT AS costed_value_cents, sum(cost_cents)::BIGINT AS cost_cents,
    min(first_at) AS first_at, max(last_at) AS last_at, max(active_at) AS active_at
FROM cockpit.visits
GROUP BY ALL;
DELETE FROM cockpit.visits;
INSERT INTO cockpit.visits FROM merged ORDER BY ALL;
DROP TABLE merged;
