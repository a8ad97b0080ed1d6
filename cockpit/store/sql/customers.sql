SELECT as_of, segment, rfm_class, is_inactive, inactive_after_days, buyers, orders, value_cents
FROM cockpit.customers
ORDER BY ALL
