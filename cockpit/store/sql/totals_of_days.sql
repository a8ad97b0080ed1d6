SELECT
    coalesce(sum(events), 0)::BIGINT AS events,
    count(DISTINCT profile_id) AS profiles,
    count(DISTINCT session_id) AS sessions,
    count(DISTINCT profile_id) FILTER (WHERE orders > 0) AS buyers,
    coalesce(sum(orders), 0)::BIGINT AS orders,
    coalesce(sum(value_cents), 0)::BIGINT AS value_cents,
    coalesce(sum(costed_value_cents), 0)::BIGINT AS costed_value_cents,
    coalesce(sum(cost_cents), 0)::BIGINT AS cost_cents
FROM cockpit.visits
WHERE day >= $start AND day < $end
