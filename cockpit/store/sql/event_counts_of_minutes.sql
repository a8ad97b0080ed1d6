SELECT name, sum(events)::BIGINT AS events
FROM cockpit.event_measures
WHERE began_at >= $start AND began_at < $end
GROUP BY name
ORDER BY name
