SELECT began_at, tier, source, outcome, sum(events)::BIGINT AS events
FROM cockpit.intake
WHERE began_at >= $since
GROUP BY ALL
