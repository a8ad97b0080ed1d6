-- As alert_event_parts, but by the minute however old: counted again from the events themselves.
SELECT
    date_trunc('minute', occurred_at) AS began_at,
    CASE WHEN list_contains($by, 'source') THEN source END AS source,
    CASE WHEN list_contains($by, 'channel') THEN channel END AS channel,
    CASE WHEN list_contains($by, 'segment') THEN segment END AS segment,
    CASE WHEN list_contains($by, 'use_case') THEN use_case END AS use_case,
    CASE WHEN list_contains($by, 'experience_id') THEN experience_id END AS experience_id,
    CASE WHEN list_contains($by, 'experiment_id') THEN experiment_id END AS experiment_id,
    CASE WHEN list_contains($by, 'variant_id') THEN variant_id END AS variant_id,
    CASE WHEN list_contains($by, 'integration') THEN integration END AS integration,
    CASE WHEN list_contains($by, 'error_code') THEN error_code END AS error_code,
    reason, name, count(*) AS events
FROM cockpit.events
WHERE occurred_at >= $start AND occurred_at < $end AND (flags & $unmeasured) = 0
GROUP BY ALL
