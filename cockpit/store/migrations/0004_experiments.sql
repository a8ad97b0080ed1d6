-- What was decided about experiments, mirrored from the journal.
CREATE TABLE cockpit.experiments (
    experiment_id VARCHAR, version VARCHAR, status VARCHAR, use_case VARCHAR, control VARCHAR, registration VARCHAR, shares VARCHAR,
    started_at TIMESTAMP, stopped_at TIMESTAMP, decision VARCHAR, learning VARCHAR
);
CREATE TABLE cockpit.experiment_history (
    number BIGINT, decided_at TIMESTAMP, actor VARCHAR, role VARCHAR, experiment_id VARCHAR, version VARCHAR, action VARCHAR,
    details VARCHAR
);
-- Of whole profiles, replaced when anything of theirs changed. `folded` says up to which position, under which rules.
CREATE TABLE cockpit.experiment_folded (position BIGINT, folded_at TIMESTAMP, definitions VARCHAR);
INSERT INTO cockpit.experiment_folded VALUES (0, NULL, '');
CREATE TABLE cockpit.experiment_rules (experiment_id VARCHAR, version VARCHAR, rules VARCHAR);
CREATE TABLE cockpit.experiment_exposures (
    experiment_id VARCHAR, version VARCHAR, profile_id VARCHAR, variant_id VARCHAR, day DATE, first_exposed_us BIGINT,
    epoch BIGINT, segment VARCHAR, channel VARCHAR, watched_days BIGINT, is_mixed BOOLEAN, is_contaminated BOOLEAN,
    was_buyer BOOLEAN, pre_orders BIGINT, pre_value_cents BIGINT, pre_sessions BIGINT
);
CREATE TABLE cockpit.experiment_totals (
    experiment_id VARCHAR, version VARCHAR, profile_id VARCHAR, day DATE, age_days BIGINT, orders BIGINT,
    value_cents BIGINT, costed_value_cents BIGINT, cost_cents BIGINT, refund_cents BIGINT, sessions BIGINT,
    converted_sessions BIGINT, returns BIGINT, unsubscribes BIGINT, cancellations BIGINT, responses BIGINT,
    promoters BIGINT, detractors BIGINT
);
-- Parts that add up; the squares of cents need more than 64 bits.
CREATE TABLE cockpit.experiment_moments (
    experiment_id VARCHAR, version VARCHAR, variant_id VARCHAR, epoch BIGINT, segment VARCHAR, channel VARCHAR,
    metric VARCHAR, scope VARCHAR, day DATE,
    n HUGEINT, nonzero HUGEINT, y HUGEINT, z HUGEINT, x HUGEINT, w HUGEINT, yy HUGEINT, yz HUGEINT, yx HUGEINT,
    yw HUGEINT, zz HUGEINT, zx HUGEINT, zw HUGEINT, xx HUGEINT, xw HUGEINT, ww HUGEINT
);
CREATE TABLE cockpit.experiment_caps (experiment_id VARCHAR, version VARCHAR, metric VARCHAR, low BIGINT, high BIGINT);
