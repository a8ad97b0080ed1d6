-- Profiles that count, by the day of their first exposure: a metric that everybody has says how many.
SELECT experiment_id, version, variant_id, epoch, segment, channel, day, sum(n) AS n
FROM cockpit.experiment_moments
WHERE metric = 'orders_per_profile' AND scope = 'since_start' AND list_contains($experiments, experiment_id)
GROUP BY ALL
HAVING sum(n) <> 0
