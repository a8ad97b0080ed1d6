-- Instants are TIMESTAMP in UTC: DuckDB's TIMESTAMPTZ needs an extension that is not always there.
CREATE TABLE cockpit.events (
    source VARCHAR, message_id VARCHAR, type VARCHAR, name VARCHAR, name_sent VARCHAR,
    occurred_at TIMESTAMP, original_at TIMESTAMP, sent_at TIMESTAMP, received_at TIMESTAMP,
    time_source VARCHAR, flags INTEGER,
    user_id VARCHAR, anonymous_id VARCHAR, profile_id VARCHAR, session_id VARCHAR,
    channel VARCHAR, segment VARCHAR, use_case VARCHAR, experience_id VARCHAR, experiment_id VARCHAR, variant_id VARCHAR,
    integration VARCHAR, trigger_id VARCHAR, error_code VARCHAR, reason VARCHAR, model_version VARCHAR,
    item_id VARCHAR, coupon VARCHAR, transaction_id VARCHAR, currency VARCHAR,
    value_cents BIGINT, cost_cents BIGINT,
    properties VARCHAR USING COMPRESSION zstd,
    position BIGINT
);
CREATE TABLE cockpit.dead_letters (
    source VARCHAR, received_at TIMESTAMP, index INTEGER, message_id VARCHAR, code VARCHAR, message VARCHAR,
    original BLOB, position BIGINT
);
CREATE TABLE cockpit.waiting_actions (
    source VARCHAR, trigger_id VARCHAR, occurred_at TIMESTAMP, received_at TIMESTAMP, channel VARCHAR, use_case VARCHAR,
    message_id VARCHAR
);
CREATE TABLE cockpit.progress (
    log_epoch VARCHAR, position BIGINT, time_zone VARCHAR, currency VARCHAR,
    last_event_at TIMESTAMP, last_received_at TIMESTAMP, processed_at TIMESTAMP
);
