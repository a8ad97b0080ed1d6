CREATE OR REPLACE TEMP TABLE merged AS
SELECT began_at, tier, source, channel, segment, name, use_case, experience_id, experiment_id, variant_id, integration, error_code,
    reason, sum(events)::BIGINT AS events, sum(orders)::BIGINT AS orders, sum(value_cents)::BIGINT AS value_cents,
    sum(costed_value_cents)::BIGINT AS costed_value_cents, sum(cost_cents)::BIGINT AS cost_cents
FROM cockpit.event_measures
GROUP BY ALL;
DELETE FROM cockpit.event_measures;
INSERT INTO cockpit.event_measures FROM merged ORDER BY ALL;
DROP TABLE merged;
