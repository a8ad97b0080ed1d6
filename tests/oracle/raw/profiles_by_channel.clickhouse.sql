SELECT channel, uniqExact(profile_id) AS profiles
FROM events
WHERE occurred_at >= toDateTime64(':since', 6, 'UTC') AND bitAnd(flags, 12) = 0
GROUP BY 1
ORDER BY 1
