-- First exposures by day; the mixed among them are in no moment.
SELECT
    day, epoch, variant_id, count(*) AS exposed, count(*) FILTER (is_mixed) AS mixed,
    count(*) FILTER (is_contaminated) AS contaminated
FROM cockpit.experiment_exposures
WHERE experiment_id = $experiment_id AND version = $version
GROUP BY ALL
ORDER BY ALL
