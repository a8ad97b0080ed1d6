SELECT
    (action.occurred_at - INTERVAL 3 HOUR)::DATE AS day, count(*) AS actions,
    quantile_disc(epoch_us(action.occurred_at) - epoch_us(trigger.occurred_at), 0.95) AS p95_us
FROM events AS action
INNER JOIN events AS trigger ON trigger.message_id = action.trigger_id
WHERE
    action.name = 'personalization_delivered' AND action.occurred_at >= TIMESTAMP ':since'
    AND trigger.occurred_at >= TIMESTAMP ':since' - INTERVAL 1 DAY AND (action.flags & 12) = 0
GROUP BY 1
ORDER BY 1
