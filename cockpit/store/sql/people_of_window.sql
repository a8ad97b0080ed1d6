-- Distinct profiles of any window, counted where it is asked for.
WITH daily AS (
    SELECT
        coalesce(who.profile_id, parts.profile_id) AS profile_id,
        CASE WHEN list_contains($by, 'channel') THEN channel END AS channel,
        CASE WHEN list_contains($by, 'segment') THEN segment END AS segment,
        sum(orders) AS orders, sum(delivered) AS delivered, sum(messages_sent) AS messages_sent,
        sum(exposures) AS exposures, sum(control_exposures) AS control_exposures
    FROM cockpit.visits AS parts LEFT JOIN cockpit.who AS who ON parts.profile_id = who.identifier
    WHERE day BETWEEN $first AND $last
    GROUP BY ALL
)
UNPIVOT (
    SELECT
        channel, segment, count(*) AS profiles, count(*) FILTER (orders > 0) AS buyers,
        count(*) FILTER (delivered > 0) AS covered_profiles, count(*) FILTER (messages_sent > 0) AS messaged_profiles,
        count(*) FILTER (exposures > 0) AS exposed_profiles, count(*) FILTER (control_exposures > 0) AS control_profiles
    FROM daily
    GROUP BY ALL
) ON profiles, buyers, covered_profiles, messaged_profiles, exposed_profiles, control_profiles INTO NAME measure VALUE value
