SELECT source, trigger_id, occurred_at, received_at, channel, use_case, message_id FROM cockpit.waiting_actions
