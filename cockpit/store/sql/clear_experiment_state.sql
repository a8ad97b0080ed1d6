DELETE FROM cockpit.experiment_exposures;
DELETE FROM cockpit.experiment_totals;
DELETE FROM cockpit.experiment_moments;
DELETE FROM cockpit.experiment_caps;
