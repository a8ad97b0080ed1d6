SELECT
    day, source, parts.name, epoch_us(occurred_at) AS occurred_at, names.profile_id, channel, segment, use_case, variant_id,
    subject, detail, amount
FROM cockpit.touches AS parts JOIN names ON parts.profile_id = names.identifier
WHERE list_contains($names, parts.name)
