-- A row counts the events of a name, or the actions in a bucket of event-to-action latency.
SELECT
    time_bucket(to_minutes($step_minutes), minute, date_trunc('minute', $start)) AS minute, channel, name, sum(events)::BIGINT AS events,
    NULL::INTEGER AS bucket, NULL::BIGINT AS actions
FROM cockpit.minute_measures
WHERE minute >= date_trunc('minute', $start) AND minute < $end
GROUP BY ALL
UNION ALL
SELECT
    time_bucket(to_minutes($step_minutes), minute, date_trunc('minute', $start)), channel, NULL, NULL, bucket, sum(actions)::BIGINT
FROM cockpit.latency_measures
WHERE minute >= date_trunc('minute', $start) AND minute < $end
GROUP BY ALL
ORDER BY ALL
