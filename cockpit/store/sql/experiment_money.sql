-- Totals of profiles that count and have money of any kind, with their group.
SELECT totals.*, exposures.variant_id, exposures.epoch, exposures.segment, exposures.channel
FROM cockpit.experiment_totals AS totals
JOIN cockpit.experiment_exposures AS exposures USING (experiment_id, version, profile_id)
WHERE NOT is_mixed AND list_contains($experiments, experiment_id)
    AND (value_cents <> 0 OR costed_value_cents <> 0 OR cost_cents <> 0 OR refund_cents <> 0)
