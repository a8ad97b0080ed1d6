-- Distinct profiles of windows of so many days, each ending on one of these days; '*' stands for all.
SELECT day, channel, segment, measure, value
FROM cockpit.people
WHERE days = $days AND day BETWEEN $first AND $last AND list_contains($measures, measure)
    AND (channel IS DISTINCT FROM '*') = list_contains($by, 'channel')
    AND (segment IS DISTINCT FROM '*') = list_contains($by, 'segment')
