SELECT last_event_at, last_received_at, processed_at, position FROM cockpit.progress
