SELECT day, source, channel, segment, profile_id, session_id, is_client, events, orders, first_at, last_at
FROM cockpit.visits
WHERE last_at >= $since
