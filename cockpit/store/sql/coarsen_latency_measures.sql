UPDATE cockpit.latency_measures SET began_at = $start, tier = 1440
WHERE began_at >= $start AND began_at < $end AND tier < 1440
