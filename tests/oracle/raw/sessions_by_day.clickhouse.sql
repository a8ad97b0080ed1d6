WITH ordered AS (
    SELECT
        occurred_at,
        lagInFrame(occurred_at, 1, toDateTime64(0, 6, 'UTC')) OVER (
            PARTITION BY profile_id, source ORDER BY occurred_at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS before
    FROM events
    WHERE
        NOT match(name, '^(message|personalization|support|nps|consent|refund)')
        AND occurred_at >= toDateTime64(':since', 6, 'UTC') AND bitAnd(flags, 12) = 0
)
SELECT toDate(occurred_at - INTERVAL 3 HOUR) AS day, countIf(occurred_at > before + INTERVAL 30 MINUTE) AS sessions
FROM ordered
GROUP BY 1
ORDER BY 1
