SELECT
    (SELECT count(*) FROM cockpit.minute_measures) AS minute_measures,
    (SELECT count(*) FROM cockpit.latency_measures) AS latency_measures,
    (SELECT count(*) FROM cockpit.visits) AS visits,
    (SELECT count(*) FROM cockpit.intake) AS intake
