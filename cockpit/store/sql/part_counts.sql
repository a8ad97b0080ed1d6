SELECT
    (SELECT count(*) FROM cockpit.event_measures) AS event_measures,
    (SELECT count(*) FROM cockpit.latency_measures) AS latency_measures,
    (SELECT count(*) FROM cockpit.visits) AS visits,
    (SELECT count(*) FROM cockpit.intake) AS intake,
    (SELECT count(*) FROM cockpit.experiment_moments) AS experiment_moments
