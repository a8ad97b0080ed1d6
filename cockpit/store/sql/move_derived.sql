UPDATE cockpit.derived SET position = $position, derived_at = $derived_at
