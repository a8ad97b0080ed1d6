SELECT
    (occurred_at - INTERVAL 3 HOUR)::DATE AS day, count(DISTINCT (source, coalesce(transaction_id, message_id))) AS orders,
    sum(value_cents) AS value_cents
FROM events
WHERE name = 'purchase' AND occurred_at >= TIMESTAMP ':since' AND (flags & 12) = 0
GROUP BY 1
ORDER BY 1
