-- What happened, by everything an alert may be told apart by. Whole days are too coarse to be part of a window.
SELECT
    source, channel, segment, use_case, experience_id, experiment_id, variant_id, integration, error_code, reason, name,
    sum(events)::BIGINT AS events, max(began_at) AS last_at
FROM cockpit.event_measures
WHERE began_at >= $start AND began_at < $end AND tier < 1440
GROUP BY ALL
