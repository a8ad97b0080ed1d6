SELECT minute, source, outcome, sum(events)::BIGINT AS events
FROM cockpit.intake
WHERE minute >= $start AND minute < $end
GROUP BY ALL
ORDER BY ALL
