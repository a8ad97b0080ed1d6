-- Every version that was registered or seen; without a registration the control is called so.
WITH days AS (
    SELECT
        experiment_id, version, day, sum(n) FILTER (metric = 'exposed') AS exposed,
        sum(n) FILTER (metric = 'mixed') AS mixed, sum(n) FILTER (metric = 'contaminated') AS contaminated,
        sum(n) FILTER (metric = 'exposed' AND variant_id = coalesce(known.control, 'control')) AS control_exposed
    FROM cockpit.experiment_moments AS moments LEFT JOIN cockpit.experiments AS known USING (experiment_id, version)
    WHERE scope = 'exposed'
    GROUP BY ALL
    HAVING exposed > 0
),
seen AS (
    SELECT
        experiment_id, version, min(day) AS first_day, sum(exposed) AS exposed, sum(mixed) AS mixed,
        sum(contaminated) AS contaminated, sum(control_exposed) AS control_exposed
    FROM days
    GROUP BY ALL
)
SELECT
    experiment_id, version, known.status IS NOT NULL AS is_registered, coalesce(known.status, 'seen') AS status,
    known.use_case, known.registration, known.shares, known.started_at, known.stopped_at, known.decision, known.learning,
    seen.first_day, coalesce(seen.exposed, 0)::BIGINT AS exposed,
    coalesce(seen.control_exposed, 0)::BIGINT AS control_exposed, coalesce(seen.mixed, 0)::BIGINT AS mixed,
    coalesce(seen.contaminated, 0)::BIGINT AS contaminated
FROM cockpit.experiments AS known FULL JOIN seen USING (experiment_id, version)
ORDER BY experiment_id, version
