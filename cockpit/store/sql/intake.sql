SELECT began_at AS minute, source, outcome, sum(events)::BIGINT AS events
FROM cockpit.intake
WHERE began_at >= $start AND began_at < $end
GROUP BY ALL
ORDER BY ALL
