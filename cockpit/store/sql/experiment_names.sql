-- All identifiers of the chosen profiles; none of those that are somebody else's by now.
SELECT chosen.profile_id AS identifier, chosen.profile_id
FROM chosen LEFT JOIN cockpit.who AS who ON chosen.profile_id = who.identifier
WHERE who.profile_id IS NULL OR who.profile_id = chosen.profile_id
UNION
SELECT identifier, who.profile_id FROM cockpit.who AS who WHERE who.profile_id IN (SELECT profile_id FROM chosen)
