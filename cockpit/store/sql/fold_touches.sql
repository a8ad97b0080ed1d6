SELECT
    parts.* EXCLUDE (profile_id, occurred_at),
    coalesce(who.profile_id, parts.profile_id) AS profile_id,
    epoch_us(occurred_at) AS occurred_at
FROM cockpit.touches AS parts LEFT JOIN cockpit.who AS who ON parts.profile_id = who.identifier
WHERE day BETWEEN $first AND $last AND (len($names) = 0 OR list_contains($names, name))
