-- What alert_intake adds up, as it lies: by the minute or the hour.
SELECT began_at, source, outcome, sum(events)::BIGINT AS events
FROM cockpit.intake
WHERE began_at >= $start AND began_at < $end AND tier < 1440
GROUP BY ALL
