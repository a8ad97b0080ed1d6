WITH active AS (
    SELECT count(*) AS events, count(DISTINCT profile_id) AS profiles, count(DISTINCT session_id) AS sessions
    FROM cockpit.events
    WHERE occurred_at >= $start AND occurred_at < $end AND (flags & $unmeasured) = 0
),
bought AS (
    SELECT
        count(DISTINCT profile_id) AS buyers,
        count(*) AS orders,
        coalesce(sum(value_cents), 0)::BIGINT AS value_cents,
        coalesce(sum(costed_value_cents), 0)::BIGINT AS costed_value_cents,
        coalesce(sum(cost_cents), 0)::BIGINT AS cost_cents
    FROM cockpit.orders
    WHERE occurred_at >= $start AND occurred_at < $end
)
SELECT events, profiles, sessions, buyers, orders, value_cents, costed_value_cents, cost_cents
FROM active CROSS JOIN bought
