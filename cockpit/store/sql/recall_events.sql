-- What deduplication remembers: events of the window in received time, with a day to spare on each side.
SELECT source, message_id, occurred_at, received_at
FROM cockpit.events
WHERE received_at >= $since
