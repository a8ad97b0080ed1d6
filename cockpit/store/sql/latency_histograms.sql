WITH business_days AS (SELECT unnest($days) AS day, unnest($starts) AS start, unnest($ends) AS finish)
SELECT
    CASE WHEN list_contains($by, 'day') THEN business_days.day END AS day,
    CASE WHEN list_contains($by, 'channel') THEN channel END AS channel,
    CASE WHEN list_contains($by, 'use_case') THEN use_case END AS use_case,
    stage || '_us' AS measure, bucket, sum(actions)::BIGINT AS count
FROM cockpit.latency_measures JOIN business_days ON began_at >= start AND began_at < finish
WHERE list_contains($measures, stage || '_us')
GROUP BY ALL
