DELETE FROM cockpit.experiment_rules
