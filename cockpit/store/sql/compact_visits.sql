CREATE OR REPLACE TEMP TABLE merged AS
SELECT day, slot, source, channel, segment, profile_id, session_id, is_client,
    sum(events)::BIGINT AS events, sum(orders)::BIGINT AS orders, sum(value_cents)::BIGINT AS value_cents,
    sum(costed_value_cents)::BIGINT AS costed_value_cents, sum(cost_cents)::BIGINT AS cost_cents,
    sum(page_views)::BIGINT AS page_views, sum(item_views)::BIGINT AS item_views, sum(cart_adds)::BIGINT AS cart_adds,
    sum(checkouts)::BIGINT AS checkouts,
    sum(reco_impressions)::BIGINT AS reco_impressions, sum(reco_clicks)::BIGINT AS reco_clicks,
    sum(delivered)::BIGINT AS delivered, sum(messages_sent)::BIGINT AS messages_sent, sum(exposures)::BIGINT AS exposures,
    sum(control_exposures)::BIGINT AS control_exposures, sum(engagement_ms)::BIGINT AS engagement_ms,
    min(first_at) AS first_at, max(last_at) AS last_at
FROM cockpit.visits
GROUP BY ALL;
DELETE FROM cockpit.visits;
INSERT INTO cockpit.visits FROM merged ORDER BY ALL;
DROP TABLE merged;
