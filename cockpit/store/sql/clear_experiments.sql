DELETE FROM cockpit.experiments;
DELETE FROM cockpit.experiment_history;
