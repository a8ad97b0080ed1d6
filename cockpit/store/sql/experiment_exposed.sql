-- First exposures by day; the mixed among them are in no other moment.
SELECT
    day, epoch, variant_id, coalesce(sum(n) FILTER (metric = 'exposed'), 0)::BIGINT AS exposed,
    coalesce(sum(n) FILTER (metric = 'mixed'), 0)::BIGINT AS mixed,
    coalesce(sum(n) FILTER (metric = 'contaminated'), 0)::BIGINT AS contaminated
FROM cockpit.experiment_moments
WHERE experiment_id = $experiment_id AND version = $version AND scope = 'exposed'
GROUP BY ALL
HAVING exposed > 0
ORDER BY ALL
