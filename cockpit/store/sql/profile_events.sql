-- The newest events of one profile, under all its identifiers.
SELECT occurred_at, source, name, channel, segment, use_case, experience_id, experiment_id, variant_id, trigger_id, reason,
    error_code, profile_id
FROM cockpit.events
WHERE profile_id = $profile_id OR profile_id IN (SELECT identifier FROM cockpit.who AS who WHERE who.profile_id = $profile_id)
ORDER BY occurred_at DESC, position DESC
LIMIT $limit
