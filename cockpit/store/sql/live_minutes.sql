SELECT began_at, channel, name, sum(events)::BIGINT AS events, sum(orders)::BIGINT AS orders, sum(value_cents)::BIGINT AS value_cents,
    sum(costed_value_cents)::BIGINT AS costed_value_cents, sum(cost_cents)::BIGINT AS cost_cents
FROM cockpit.event_measures
WHERE began_at >= $since
GROUP BY ALL
