-- Those who had ordered before: how many days until they ordered again, null while they have not, and how long each has
-- been watched: until today, or the end of the version.
WITH ordered AS (
    SELECT profile_id, min(age_days) AS waited_days
    FROM cockpit.experiment_totals
    WHERE experiment_id = $experiment_id AND version = $version AND orders > 0
    GROUP BY ALL
)
SELECT
    variant_id, waited_days, least($today - exposures.day, watched_days)::BIGINT AS observed_days, count(*) AS profiles
FROM cockpit.experiment_exposures AS exposures LEFT JOIN ordered USING (profile_id)
WHERE experiment_id = $experiment_id AND version = $version AND was_buyer AND NOT is_mixed
GROUP BY ALL
ORDER BY ALL
