SELECT
    toDate(action.occurred_at - INTERVAL 3 HOUR) AS day, count(*) AS actions,
    quantileExact(0.95)(toUnixTimestamp64Micro(action.occurred_at) - toUnixTimestamp64Micro(trigger.occurred_at)) AS p95_us
FROM (
    SELECT message_id, occurred_at FROM events WHERE occurred_at >= toDateTime64(':since', 6, 'UTC') - INTERVAL 1 DAY
) AS trigger
INNER JOIN (
    SELECT trigger_id, occurred_at
    FROM events
    WHERE
        name = 'personalization_delivered' AND occurred_at >= toDateTime64(':since', 6, 'UTC') AND bitAnd(flags, 12) = 0
) AS action ON trigger.message_id = action.trigger_id
GROUP BY 1
ORDER BY 1
