SELECT minute, source, outcome, sum(events)::BIGINT AS events
FROM cockpit.intake
WHERE minute >= $since
GROUP BY ALL
