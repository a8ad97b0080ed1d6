SELECT day, source, channel, segment, parts.profile_id, coalesce(who.profile_id, parts.profile_id) AS person, session_id,
    is_client, events, orders, first_at, last_at
FROM cockpit.visits AS parts LEFT JOIN cockpit.who AS who ON parts.profile_id = who.identifier
WHERE last_at >= $since
