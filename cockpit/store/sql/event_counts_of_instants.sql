SELECT name, count(*) AS events
FROM cockpit.events
WHERE occurred_at >= $start AND occurred_at < $end AND (flags & $unmeasured) = 0
GROUP BY name
ORDER BY name
