SELECT min(day) AS first, max(day) AS last FROM cockpit.visits
