"""The names of the measures: what folds, reads and KPIs agree on."""

_SUMS = """
    sessions session_ms pages engaged_sessions converted_sessions session_value_cents engagement_ms
    reco_impressions reco_clicks step_home step_view_item step_add_to_cart step_begin_checkout
    step_purchase checkout_sessions checkout_purchased orders value_cents costed_value_cents
    cost_cents coupon_orders refunds refund_cents carts carts_purchased carts_abandoned
    carts_reminded carts_recovered carts_unreminded carts_returned carts_owed messages_sent
    messages_sent_delivered messages_delivered messages_opened messages_clicked messages_replied
    messages_converted messages_unsubscribed impressions impressions_clicked reco_item_clicks
    reco_converted reco_value_24h_cents reco_value_7d_cents offers_shown offers_taken tickets_opened
    tickets_answered tickets_resolved tickets_bot_first tickets_handed_over nps_responses
    nps_promoters nps_detractors subscriptions_cancelled subscriptions_cancelled_payment
    subscription_cancelled_cents new_buyers repurchased_30d repurchased_60d repurchased_90d
    ltv_90d_cents ltv_365d_cents ltv_90d_margin_cents ltv_365d_margin_cents profile_events
    known_events profiles buyers covered_profiles messaged_profiles exposed_profiles
    control_profiles events delivered failed suppressed suppressed_control suppressed_frequency_cap
    suppressed_consent fallbacks unsubscribes received stored duplicate refused late
"""
SUMS = frozenset(_SUMS.split())
HISTOGRAMS = frozenset(
    (
        "first_response_us",
        "resolution_us",
        "event_to_action_us",
        "ingest_us",
        "decide_us",
        "report_us",
    )
)
GAUGES = frozenset(
    (
        "active_sessions",
        "queue_lag_s",
        "queue_events",
        "freshness_s",
        "events_per_minute",
        "personalizations_per_minute",
    )
)
