SELECT day, source, channel, segment, profile_id, session_id, events, orders, value_cents, costed_value_cents, cost_cents,
    first_at, last_at, active_at
FROM cockpit.visits
WHERE last_at >= $since
