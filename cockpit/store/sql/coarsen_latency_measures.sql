UPDATE cockpit.latency_measures SET began_at = time_bucket(to_minutes($step), began_at, $start), tier = $tier
WHERE began_at >= $start AND began_at < $end AND tier < $tier
