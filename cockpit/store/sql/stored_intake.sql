SELECT began_at, tier, source, outcome, events FROM cockpit.intake
