-- Whole histories of buyers, computed again when any day changed.
CREATE TABLE cockpit.repurchases (day DATE, channel VARCHAR, segment VARCHAR, waited_days BIGINT, buyers BIGINT);
CREATE TABLE cockpit.cohorts (period VARCHAR, cohort DATE, age BIGINT, buyers BIGINT);
CREATE TABLE cockpit.customers (
    as_of DATE, segment VARCHAR, rfm_class VARCHAR, is_inactive BOOLEAN, inactive_after_days BIGINT, buyers BIGINT,
    orders BIGINT, value_cents BIGINT
);
