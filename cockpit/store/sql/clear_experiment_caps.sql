DELETE FROM cockpit.experiment_caps WHERE list_contains($experiments, experiment_id)
