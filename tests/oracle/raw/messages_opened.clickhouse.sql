WITH messages AS (
    SELECT
        channel, JSONExtractString(properties, 'delivery_id') AS delivery_id,
        minIf(occurred_at, name = 'message_delivered') AS delivered_at,
        minIf(occurred_at, name = 'message_opened') AS opened_at
    FROM events
    WHERE
        name IN ('message_delivered', 'message_opened') AND occurred_at >= toDateTime64(':since', 6, 'UTC')
        AND bitAnd(flags, 12) = 0
    GROUP BY channel, delivery_id
)
SELECT channel, count(*) AS delivered, countIf(opened_at BETWEEN delivered_at AND delivered_at + INTERVAL 7 DAY) AS opened
FROM messages
WHERE toUnixTimestamp64Micro(assumeNotNull(delivered_at)) > 0
GROUP BY 1
ORDER BY 1
