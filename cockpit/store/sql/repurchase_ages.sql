-- Of the buyers whose first order lies in these days: whole days until the second order, or until $seen without one.
WITH aged AS (
    SELECT
        CASE WHEN list_contains($by, 'day') THEN day END AS day,
        CASE WHEN list_contains($by, 'channel') THEN channel END AS channel,
        CASE WHEN list_contains($by, 'segment') THEN segment END AS segment,
        coalesce(waited_days <= date_diff('day', day, $seen), false) AS came_back,
        least(waited_days, date_diff('day', day, $seen)) AS days, buyers
    FROM cockpit.repurchases
    WHERE day BETWEEN $first AND least($last, $seen)
)
SELECT
    day, channel, segment, days, coalesce(sum(buyers) FILTER (came_back), 0)::BIGINT AS events,
    coalesce(sum(buyers) FILTER (NOT came_back), 0)::BIGINT AS censored
FROM aged
GROUP BY ALL
