SELECT channel, count(DISTINCT profile_id) AS profiles
FROM events
WHERE occurred_at >= TIMESTAMP ':since' AND (flags & 12) = 0
GROUP BY 1
ORDER BY 1
