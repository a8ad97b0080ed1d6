SELECT channel, use_case, experience_id, integration, model_version, count(*) AS events
FROM cockpit.events
WHERE occurred_at >= $start AND occurred_at < $end AND name = 'personalization_delivered' AND reason = 'fallback'
GROUP BY ALL
