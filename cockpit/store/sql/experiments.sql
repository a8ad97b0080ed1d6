-- Every version that was registered or seen; without a registration the control is called so.
WITH seen AS (
    SELECT
        exposures.experiment_id, exposures.version, make_timestamp(min(first_exposed_us)) AS first_exposed_at,
        count(*) AS exposed, count(*) FILTER (is_mixed) AS mixed, count(*) FILTER (is_contaminated) AS contaminated,
        count(*) FILTER (variant_id = coalesce(known.control, 'control')) AS control_exposed
    FROM cockpit.experiment_exposures AS exposures LEFT JOIN cockpit.experiments AS known USING (experiment_id, version)
    GROUP BY ALL
)
SELECT
    experiment_id, version, known.status IS NOT NULL AS is_registered, coalesce(known.status, 'seen') AS status,
    known.use_case, known.registration, known.shares, known.started_at, known.stopped_at, known.decision, known.learning,
    seen.first_exposed_at, coalesce(seen.exposed, 0) AS exposed, coalesce(seen.control_exposed, 0) AS control_exposed,
    coalesce(seen.mixed, 0) AS mixed, coalesce(seen.contaminated, 0) AS contaminated
FROM cockpit.experiments AS known FULL JOIN seen USING (experiment_id, version)
ORDER BY experiment_id, version
