-- Exposed profiles of whom something was taken in behind a position, whoever was seen in an experiment since, and all who
-- turned out to be somebody else: under their former names too, whose rows have to go.
WITH moved AS (SELECT DISTINCT identifier FROM cockpit.identities WHERE position > $position),
renamed AS (
    SELECT identifier AS profile_id FROM moved
    UNION
    SELECT profile_id FROM cockpit.identities WHERE identifier IN (SELECT identifier FROM moved)
),
active AS (
    SELECT coalesce(who.profile_id, events.profile_id) AS profile_id, bool_or(name = 'experiment_viewed') AS is_seen
    FROM cockpit.events AS events LEFT JOIN cockpit.who AS who ON events.profile_id = who.identifier
    WHERE position > $position
    GROUP BY ALL
)
SELECT profile_id FROM renamed
UNION
SELECT who.profile_id FROM renamed JOIN cockpit.who AS who ON renamed.profile_id = who.identifier
UNION
SELECT profile_id
FROM active
WHERE profile_id IS NOT NULL
    AND (is_seen OR profile_id IN (SELECT profile_id FROM cockpit.experiment_exposures))
