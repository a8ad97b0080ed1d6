SELECT minute, channel, use_case, bucket, sum(actions)::BIGINT AS actions, sum(clipped)::BIGINT AS clipped
FROM cockpit.latency_measures
WHERE minute >= $since
GROUP BY ALL
