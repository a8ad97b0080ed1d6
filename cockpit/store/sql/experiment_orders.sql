SELECT source, epoch_us(occurred_at) AS occurred_at, names.profile_id, value_cents, costed_value_cents, cost_cents
FROM cockpit.orders AS parts JOIN names ON parts.profile_id = names.identifier
