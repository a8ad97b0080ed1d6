SELECT name, sum(events)::BIGINT AS events
FROM cockpit.minute_measures
WHERE minute >= $start AND minute < $end
GROUP BY name
ORDER BY name
