-- Of the buyers whose first order lies in these days: whole days until the second order, or until now without one.
WITH who AS (
    SELECT identifier, arg_max(profile_id, position) AS profile_id FROM cockpit.identities GROUP BY identifier
),
bought AS (
    SELECT
        coalesce(who.profile_id, parts.profile_id) AS profile_id, occurred_at, channel, segment, day,
        row_number() OVER (PARTITION BY coalesce(who.profile_id, parts.profile_id) ORDER BY occurred_at, source, order_key) AS place
    FROM cockpit.orders AS parts LEFT JOIN who ON parts.profile_id = who.identifier
),
buyers AS (
    SELECT
        CASE WHEN list_contains($by, 'channel') THEN first.channel END AS channel,
        CASE WHEN list_contains($by, 'segment') THEN first.segment END AS segment,
        CASE WHEN list_contains($by, 'day') THEN first.day END AS day,
        second.occurred_at IS NOT NULL AS came_back,
        (epoch_us(coalesce(second.occurred_at, $now)) - epoch_us(first.occurred_at)) // 86400000000 AS days
    FROM bought AS first LEFT JOIN bought AS second ON first.profile_id = second.profile_id AND second.place = 2
    WHERE first.place = 1 AND first.day BETWEEN $first AND $last
)
SELECT channel, segment, day, days, count(*) FILTER (came_back) AS events, count(*) FILTER (NOT came_back) AS censored
FROM buyers
WHERE days >= 0
GROUP BY ALL
