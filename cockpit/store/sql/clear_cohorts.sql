DELETE FROM cockpit.cohorts
