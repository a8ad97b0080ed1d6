FROM cockpit.experiment_exposures SEMI JOIN chosen USING (profile_id)
