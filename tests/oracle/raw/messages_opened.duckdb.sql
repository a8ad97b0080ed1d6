WITH messages AS (
    SELECT
        channel, json_extract_string(properties, '$.delivery_id') AS delivery_id,
        min(occurred_at) FILTER (WHERE name = 'message_delivered') AS delivered_at,
        min(occurred_at) FILTER (WHERE name = 'message_opened') AS opened_at
    FROM events
    WHERE
        name IN ('message_delivered', 'message_opened') AND occurred_at >= TIMESTAMP ':since' AND (flags & 12) = 0
    GROUP BY ALL
)
SELECT
    channel, count(*) AS delivered,
    count(*) FILTER (WHERE opened_at BETWEEN delivered_at AND delivered_at + INTERVAL 7 DAY) AS opened
FROM messages
WHERE delivered_at IS NOT NULL
GROUP BY 1
ORDER BY 1
