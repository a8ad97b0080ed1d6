DELETE FROM cockpit.experiment_exposures WHERE profile_id IN (SELECT profile_id FROM chosen)
