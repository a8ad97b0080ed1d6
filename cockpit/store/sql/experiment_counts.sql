-- Profiles that count, by the day of their first exposure.
SELECT experiment_id, version, variant_id, epoch, segment, channel, day, count(*) AS n
FROM cockpit.experiment_exposures
WHERE NOT is_mixed AND list_contains($experiments, experiment_id)
GROUP BY ALL
