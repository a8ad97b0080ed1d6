SELECT
    CASE WHEN list_contains($by, 'day') THEN day END AS day,
    CASE WHEN list_contains($by, 'channel') THEN channel END AS channel,
    CASE WHEN list_contains($by, 'segment') THEN segment END AS segment,
    measure, bucket, sum(count)::BIGINT AS count
FROM cockpit.day_histograms
WHERE day BETWEEN $first AND $last AND list_contains($measures, measure)
GROUP BY ALL
