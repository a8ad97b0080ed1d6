SELECT derived.position, derived.derived_at, progress.position AS newest
FROM cockpit.derived CROSS JOIN cockpit.progress
