SELECT folded.position, folded.folded_at, folded.definitions, coalesce(progress.position, 0) AS newest
FROM cockpit.experiment_folded AS folded LEFT JOIN cockpit.progress AS progress ON true
