SELECT last_event_at, last_received_at, processed_at, position, (SELECT derived_at FROM cockpit.derived) AS derived_at
FROM cockpit.progress
