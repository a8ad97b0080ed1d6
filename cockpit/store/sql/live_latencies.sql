SELECT began_at, stage, channel, bucket, sum(actions)::BIGINT AS actions
FROM cockpit.latency_measures
WHERE began_at >= $since
GROUP BY ALL
