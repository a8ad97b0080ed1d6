SELECT source, received_at, index, message_id, code, message, original
FROM cockpit.dead_letters
WHERE received_at >= $start AND received_at < $end
ORDER BY position DESC, index DESC
LIMIT $limit
