DELETE FROM cockpit.waiting_actions AS waiting
USING matched
WHERE waiting.source = matched.source AND waiting.message_id = matched.message_id
