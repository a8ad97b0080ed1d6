-- What lies before it is unknown, not silence.
SELECT min(began_at) AS first_at FROM cockpit.event_measures WHERE tier < 1440
