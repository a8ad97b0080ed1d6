WITH business_days AS (SELECT unnest($days) AS day, unnest($starts) AS start, unnest($ends) AS finish),
parts AS (
    SELECT began_at, source, outcome, sum(events) AS events
    FROM cockpit.intake
    WHERE began_at >= $starts[1] AND began_at < $ends[-1]
    GROUP BY ALL
),
counted AS (
    SELECT
        CASE WHEN list_contains($by, 'day') THEN business_days.day END AS day,
        CASE WHEN list_contains($by, 'source') THEN source END AS source,
        sum(events)::BIGINT AS received,
        (sum(events) FILTER (starts_with(outcome, 'stored')))::BIGINT AS stored,
        (sum(events) FILTER (outcome = 'stored:late'))::BIGINT AS late,
        (sum(events) FILTER (outcome = 'duplicate'))::BIGINT AS duplicate,
        (sum(events) FILTER (starts_with(outcome, 'refused')))::BIGINT AS refused
    FROM parts JOIN business_days ON began_at >= start AND began_at < finish
    GROUP BY ALL
)
UNPIVOT counted ON received, stored, late, duplicate, refused INTO NAME measure VALUE value
