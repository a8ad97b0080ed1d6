FROM cockpit.experiment_totals SEMI JOIN chosen USING (profile_id)
