-- What alert_latencies adds up, as it lies: by the minute.
SELECT began_at, stage || '_us' AS histogram, channel, use_case, bucket, sum(actions)::BIGINT AS count
FROM cockpit.latency_measures
WHERE began_at >= $start AND began_at < $end AND tier < 1440
GROUP BY ALL
