-- Days whose parts changed since the last derivation, also because it turned out who somebody is.
SELECT DISTINCT day FROM cockpit.changed_days WHERE position > (SELECT position FROM cockpit.derived)
UNION
SELECT DISTINCT day
FROM cockpit.visits
WHERE profile_id IN (
    SELECT identifier FROM cockpit.identities WHERE position > (SELECT position FROM cockpit.derived)
)
ORDER BY day
