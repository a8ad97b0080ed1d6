-- How far the state of the experiments is: it says the same as long as this does.
SELECT position, folded_at FROM cockpit.experiment_folded
