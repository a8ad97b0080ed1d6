-- Visits as distinct people need them: one row per profile and day that a channel and segment saw.
SELECT
    day, channel, segment, coalesce(who.profile_id, parts.profile_id) AS profile_id, sum(orders)::BIGINT AS orders,
    sum(delivered)::BIGINT AS delivered, sum(messages_sent)::BIGINT AS messages_sent, sum(exposures)::BIGINT AS exposures,
    sum(control_exposures)::BIGINT AS control_exposures
FROM cockpit.visits AS parts LEFT JOIN cockpit.who AS who ON parts.profile_id = who.identifier
WHERE day BETWEEN $first AND $last
GROUP BY ALL
