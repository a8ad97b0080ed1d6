-- How fine the past still is: since when there is anything, and the last day and hour that were coarsened to one row.
SELECT 'alert_events' AS read, min(began_at) AS first_at, NULL::TIMESTAMP AS last_day, NULL::TIMESTAMP AS last_hour
FROM cockpit.event_measures
UNION ALL
SELECT
    'alert_latencies', min(began_at), max(began_at) FILTER (WHERE tier = 1440), max(began_at) FILTER (WHERE tier = 60)
FROM cockpit.latency_measures
UNION ALL
SELECT 'alert_intake', min(began_at), max(began_at) FILTER (WHERE tier = 1440), max(began_at) FILTER (WHERE tier = 60)
FROM cockpit.intake
