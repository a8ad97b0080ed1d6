SELECT
    day, source, order_key, message_id, transaction_id, epoch_us(occurred_at) AS occurred_at,
    coalesce(who.profile_id, parts.profile_id) AS profile_id, channel, segment, coupon, currency,
    value_cents, costed_value_cents, cost_cents
FROM cockpit.orders AS parts LEFT JOIN cockpit.who AS who ON parts.profile_id = who.identifier
WHERE day BETWEEN $first AND $last
