SELECT minute, source, channel, segment, name, use_case, integration,
    sum(events)::BIGINT AS events, sum(orders)::BIGINT AS orders, sum(value_cents)::BIGINT AS value_cents,
    sum(costed_value_cents)::BIGINT AS costed_value_cents, sum(cost_cents)::BIGINT AS cost_cents
FROM cockpit.minute_measures
WHERE minute >= $since
GROUP BY ALL
