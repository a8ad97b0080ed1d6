SELECT
    parts.* EXCLUDE (slot, profile_id, first_at, last_at), names.profile_id,
    epoch_us(first_at) AS first_at, epoch_us(last_at) AS last_at
FROM cockpit.visits AS parts JOIN names ON parts.profile_id = names.identifier
WHERE day >= $since AND is_client
