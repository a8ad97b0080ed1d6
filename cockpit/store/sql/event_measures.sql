-- First by instant where days are told apart, which leaves few rows; then by business day.
WITH business_days AS (SELECT unnest($days) AS day, unnest($starts) AS start, unnest($ends) AS finish),
parts AS (
    SELECT
        CASE WHEN list_contains($by, 'day') THEN began_at ELSE $starts[1] END AS began_at,
        CASE WHEN list_contains($by, 'source') THEN source END AS source,
        CASE WHEN list_contains($by, 'channel') THEN channel END AS channel,
        CASE WHEN list_contains($by, 'segment') THEN segment END AS segment,
        CASE WHEN list_contains($by, 'use_case') THEN use_case END AS use_case,
        CASE WHEN list_contains($by, 'experience_id') THEN experience_id END AS experience_id,
        CASE WHEN list_contains($by, 'experiment_id') THEN experiment_id END AS experiment_id,
        CASE WHEN list_contains($by, 'variant_id') THEN variant_id END AS variant_id,
        CASE WHEN list_contains($by, 'integration') THEN integration END AS integration,
        CASE WHEN list_contains($by, 'error_code') THEN error_code END AS error_code,
        CASE WHEN list_contains($by, 'reason') THEN reason END AS reason,
        sum(events) AS events,
        sum(events) FILTER (name = 'personalization_delivered') AS delivered,
        sum(events) FILTER (name = 'personalization_failed') AS failed,
        sum(events) FILTER (name = 'personalization_suppressed') AS suppressed,
        sum(events) FILTER (name = 'personalization_suppressed' AND reason = 'control') AS suppressed_control,
        sum(events) FILTER (name = 'personalization_suppressed' AND reason = 'frequency_cap') AS suppressed_frequency_cap,
        sum(events) FILTER (name = 'personalization_suppressed' AND reason = 'consent') AS suppressed_consent,
        sum(events) FILTER (name = 'personalization_delivered' AND reason = 'fallback') AS fallbacks,
        sum(events) FILTER (name = 'message_unsubscribed') AS unsubscribes
    FROM cockpit.event_measures
    WHERE began_at >= $starts[1] AND began_at < $ends[-1] AND ($all_names OR list_contains($names, name))
    GROUP BY ALL
),
counted AS (
    SELECT
        CASE WHEN list_contains($by, 'day') THEN business_days.day END AS day,
        source, channel, segment, use_case, experience_id, experiment_id, variant_id, integration, error_code, reason,
        sum(events)::BIGINT AS events, sum(delivered)::BIGINT AS delivered, sum(failed)::BIGINT AS failed,
        sum(suppressed)::BIGINT AS suppressed, sum(suppressed_control)::BIGINT AS suppressed_control,
        sum(suppressed_frequency_cap)::BIGINT AS suppressed_frequency_cap,
        sum(suppressed_consent)::BIGINT AS suppressed_consent, sum(fallbacks)::BIGINT AS fallbacks,
        sum(unsubscribes)::BIGINT AS unsubscribes
    FROM parts JOIN business_days ON began_at >= start AND began_at < finish
    GROUP BY ALL
)
UNPIVOT counted
ON events, delivered, failed, suppressed, suppressed_control, suppressed_frequency_cap, suppressed_consent, fallbacks, unsubscribes
INTO NAME measure VALUE value
