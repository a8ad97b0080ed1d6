-- The oldest instant that stands in a finer tier than it should.
SELECT min(began_at) AS oldest FROM (
    SELECT began_at FROM cockpit.event_measures WHERE began_at < $before AND tier < $tier
    UNION ALL
    SELECT began_at FROM cockpit.latency_measures WHERE began_at < $before AND tier < 1440
    UNION ALL
    SELECT began_at FROM cockpit.intake WHERE began_at < $before AND tier < $tier
)
