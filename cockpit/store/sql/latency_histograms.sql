-- First by instant where days are told apart, then by business day.
WITH business_days AS (SELECT unnest($days) AS day, unnest($starts) AS start, unnest($ends) AS finish),
parts AS (
    SELECT
        CASE WHEN list_contains($by, 'day') THEN began_at ELSE $starts[1] END AS began_at,
        CASE WHEN list_contains($by, 'channel') THEN channel END AS channel,
        CASE WHEN list_contains($by, 'use_case') THEN use_case END AS use_case,
        stage, bucket, sum(actions) AS actions
    FROM cockpit.latency_measures
    WHERE began_at >= $starts[1] AND began_at < $ends[-1] AND list_contains($stages, stage)
    GROUP BY ALL
)
SELECT
    CASE WHEN list_contains($by, 'day') THEN business_days.day END AS day,
    channel, use_case, stage || '_us' AS measure, bucket, sum(actions)::BIGINT AS count
FROM parts JOIN business_days ON began_at >= start AND began_at < finish
GROUP BY ALL
