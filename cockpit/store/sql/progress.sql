SELECT log_epoch, position, time_zone, currency, last_event_at, last_received_at, processed_at FROM cockpit.progress
