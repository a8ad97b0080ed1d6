UPDATE cockpit.experiment_folded SET position = $position, folded_at = $folded_at, definitions = $definitions
