-- Parts: appended by each batch; rows of one key add up, and compaction merges them. `tier` is the step of `began_at` in
-- minutes, 0 for a whole business day: what grows old is coarsened where it lies. Profile ids are as the events had
-- them; who is who is applied when parts are read.
CREATE TABLE cockpit.event_measures (
    began_at TIMESTAMP, tier SMALLINT, source VARCHAR, channel VARCHAR, segment VARCHAR, name VARCHAR, use_case VARCHAR,
    experience_id VARCHAR, experiment_id VARCHAR, variant_id VARCHAR, integration VARCHAR, error_code VARCHAR, reason VARCHAR,
    events BIGINT, orders BIGINT, value_cents BIGINT, costed_value_cents BIGINT, cost_cents BIGINT
);
CREATE TABLE cockpit.latency_measures (
    began_at TIMESTAMP, tier SMALLINT, stage VARCHAR, channel VARCHAR, use_case VARCHAR, bucket INTEGER, actions BIGINT, clipped BIGINT
);
CREATE TABLE cockpit.intake (began_at TIMESTAMP, tier SMALLINT, source VARCHAR, outcome VARCHAR, events BIGINT);
CREATE TABLE cockpit.visits (
    day DATE, slot TIMESTAMP, source VARCHAR, channel VARCHAR, segment VARCHAR, profile_id VARCHAR, session_id VARCHAR,
    is_client BOOLEAN,
    events BIGINT, orders BIGINT, value_cents BIGINT, costed_value_cents BIGINT, cost_cents BIGINT,
    page_views BIGINT, item_views BIGINT, cart_adds BIGINT, checkouts BIGINT,
    reco_impressions BIGINT, reco_clicks BIGINT, delivered BIGINT, messages_sent BIGINT, exposures BIGINT,
    control_exposures BIGINT, engagement_ms BIGINT, first_at TIMESTAMP, last_at TIMESTAMP
);
CREATE TABLE cockpit.orders (
    day DATE, source VARCHAR, order_key VARCHAR, message_id VARCHAR, transaction_id VARCHAR, occurred_at TIMESTAMP,
    received_at TIMESTAMP, profile_id VARCHAR, session_id VARCHAR, channel VARCHAR, segment VARCHAR, coupon VARCHAR,
    currency VARCHAR, value_cents BIGINT, costed_value_cents BIGINT, cost_cents BIGINT, position BIGINT
);
CREATE TABLE cockpit.order_items (
    day DATE, source VARCHAR, order_key VARCHAR, occurred_at TIMESTAMP, profile_id VARCHAR, channel VARCHAR, segment VARCHAR,
    item_id VARCHAR, value_cents BIGINT
);
CREATE TABLE cockpit.touches (
    day DATE, source VARCHAR, message_id VARCHAR, name VARCHAR, occurred_at TIMESTAMP, profile_id VARCHAR, channel VARCHAR,
    segment VARCHAR, use_case VARCHAR, experience_id VARCHAR, experiment_id VARCHAR, variant_id VARCHAR, integration VARCHAR,
    subject VARCHAR, detail VARCHAR, amount BIGINT
);
CREATE TABLE cockpit.links (source VARCHAR, left_id VARCHAR, right_id VARCHAR, first_at TIMESTAMP);
-- Whose an identifier is from a position on; the last row of an identifier holds.
CREATE TABLE cockpit.identities (identifier VARCHAR, profile_id VARCHAR, position BIGINT);
CREATE VIEW cockpit.who AS
SELECT identifier, arg_max(profile_id, position) AS profile_id FROM cockpit.identities GROUP BY identifier;
CREATE TABLE cockpit.changed_days (day DATE, position BIGINT);

-- Derived: recomputed by day from the parts when something of the day changed.
CREATE TABLE cockpit.derived (position BIGINT, derived_at TIMESTAMP);
INSERT INTO cockpit.derived VALUES (0, NULL);
CREATE TABLE cockpit.recomputations (derived_at TIMESTAMP, family VARCHAR, first_day DATE, last_day DATE, position BIGINT);
CREATE TABLE cockpit.day_measures (
    day DATE, family VARCHAR, measure VARCHAR, source VARCHAR, channel VARCHAR, segment VARCHAR, use_case VARCHAR,
    experience_id VARCHAR, value BIGINT
);
CREATE TABLE cockpit.day_histograms (
    day DATE, family VARCHAR, measure VARCHAR, source VARCHAR, channel VARCHAR, segment VARCHAR, use_case VARCHAR,
    experience_id VARCHAR, bucket INTEGER, count BIGINT
);
CREATE TABLE cockpit.people (
    day DATE, days SMALLINT, channel VARCHAR, segment VARCHAR, measure VARCHAR, value BIGINT
);
