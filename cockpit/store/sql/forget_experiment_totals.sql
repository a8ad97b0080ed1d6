DELETE FROM cockpit.experiment_totals WHERE profile_id IN (SELECT profile_id FROM chosen)
