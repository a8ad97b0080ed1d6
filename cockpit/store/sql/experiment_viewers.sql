-- Profiles that were seen in these experiments; in any, if there are none.
SELECT DISTINCT coalesce(who.profile_id, parts.profile_id) AS profile_id
FROM cockpit.touches AS parts LEFT JOIN cockpit.who AS who ON parts.profile_id = who.identifier
WHERE name = 'experiment_viewed' AND parts.profile_id IS NOT NULL
    AND (len($experiments) = 0 OR list_contains($experiments, subject))
