SELECT decided_at, actor, role, version, action, details
FROM cockpit.experiment_history
WHERE experiment_id = $experiment_id
ORDER BY number
