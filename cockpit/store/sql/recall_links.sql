SELECT source, left_id, right_id, min(first_at) AS first_at FROM cockpit.links GROUP BY ALL
