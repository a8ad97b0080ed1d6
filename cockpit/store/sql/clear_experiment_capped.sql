DELETE FROM cockpit.experiment_moments
WHERE scope = 'since_start' AND list_contains($metrics, metric) AND list_contains($experiments, experiment_id)
