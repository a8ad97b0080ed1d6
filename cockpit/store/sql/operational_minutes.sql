-- A row counts the events of a name, or the actions in a bucket of event-to-action latency.
SELECT
    time_bucket(to_minutes($step_minutes), began_at, date_trunc('minute', $start)) AS minute, channel, name, sum(events)::BIGINT AS events,
    NULL::INTEGER AS bucket, NULL::BIGINT AS actions
FROM cockpit.event_measures
WHERE began_at >= date_trunc('minute', $start) AND began_at < $end
GROUP BY ALL
UNION ALL
SELECT
    time_bucket(to_minutes($step_minutes), began_at, date_trunc('minute', $start)), channel, NULL, NULL, bucket, sum(actions)::BIGINT
FROM cockpit.latency_measures
WHERE began_at >= date_trunc('minute', $start) AND began_at < $end AND stage = 'event_to_action'
GROUP BY ALL
ORDER BY ALL
