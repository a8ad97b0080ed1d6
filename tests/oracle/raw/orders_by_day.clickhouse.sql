SELECT
    toDate(occurred_at - INTERVAL 3 HOUR) AS day, uniqExact((source, coalesce(transaction_id, message_id))) AS orders,
    sum(value_cents) AS value_cents
FROM events
WHERE name = 'purchase' AND occurred_at >= toDateTime64(':since', 6, 'UTC') AND bitAnd(flags, 12) = 0
GROUP BY 1
ORDER BY 1
