UPDATE cockpit.progress SET
    log_epoch = $log_epoch, position = $position, time_zone = $time_zone, currency = $currency,
    last_event_at = $last_event_at, last_received_at = $last_received_at, processed_at = $processed_at
