WITH ordered AS (
    SELECT occurred_at, lag(occurred_at) OVER (PARTITION BY profile_id, source ORDER BY occurred_at) AS before
    FROM events
    WHERE
        NOT regexp_matches(name, '^(message|personalization|support|nps|consent|refund)')
        AND occurred_at >= TIMESTAMP ':since' AND (flags & 12) = 0
)
SELECT
    (occurred_at - INTERVAL 3 HOUR)::DATE AS day,
    count(*) FILTER (WHERE before IS NULL OR occurred_at - before > INTERVAL 30 MINUTE) AS sessions
FROM ordered
GROUP BY 1
ORDER BY 1
