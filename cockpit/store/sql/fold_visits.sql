SELECT
    parts.* EXCLUDE (slot, profile_id, first_at, last_at),
    coalesce(who.profile_id, parts.profile_id) AS profile_id,
    epoch_us(first_at) AS first_at, epoch_us(last_at) AS last_at
FROM cockpit.visits AS parts LEFT JOIN cockpit.who AS who ON parts.profile_id = who.identifier
WHERE day BETWEEN $first AND $last
