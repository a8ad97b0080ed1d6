SELECT experiment_id, version, rules FROM cockpit.experiment_rules
