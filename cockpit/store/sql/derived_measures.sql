SELECT
    CASE WHEN list_contains($by, 'day') THEN day END AS day,
    CASE WHEN list_contains($by, 'source') THEN source END AS source,
    CASE WHEN list_contains($by, 'channel') THEN channel END AS channel,
    CASE WHEN list_contains($by, 'segment') THEN segment END AS segment,
    CASE WHEN list_contains($by, 'use_case') THEN use_case END AS use_case,
    CASE WHEN list_contains($by, 'experience_id') THEN experience_id END AS experience_id,
    measure, sum(value)::BIGINT AS value
FROM cockpit.day_measures
WHERE day BETWEEN $first AND $last AND list_contains($measures, measure)
GROUP BY ALL
