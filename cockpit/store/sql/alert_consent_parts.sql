-- What alert_consents adds up, by the instant of the delivery; judged as there.
WITH acts AS MATERIALIZED (
    SELECT source, message_id, channel, use_case, profile_id, occurred_at
    FROM cockpit.touches
    WHERE occurred_at >= $start AND occurred_at < $end AND name = 'personalization_delivered' AND profile_id IS NOT NULL
),
-- As cockpit.who, of these people only: all of it takes longer than the rest.
reached AS MATERIALIZED (
    SELECT identifier, arg_max(profile_id, position) AS person
    FROM cockpit.identities
    WHERE identifier IN (SELECT profile_id FROM acts)
    GROUP BY identifier
),
asked AS MATERIALIZED (
    SELECT acts.*, coalesce(reached.person, acts.profile_id) AS person
    FROM acts LEFT JOIN reached ON acts.profile_id = reached.identifier
),
names AS MATERIALIZED (
    SELECT identifier, arg_max(profile_id, position) AS person
    FROM cockpit.identities
    WHERE identifier IN (SELECT identifier FROM cockpit.identities WHERE profile_id IN (SELECT person FROM asked))
    GROUP BY identifier
    UNION
    SELECT person, person FROM asked
),
said AS MATERIALIZED (
    SELECT names.person, subject AS purpose, channel, occurred_at, amount
    FROM cockpit.touches JOIN names ON touches.profile_id = names.identifier
    WHERE name = 'consent_updated' AND amount IN (0, 1) AND subject IS NOT NULL AND occurred_at < $end
),
held AS (
    SELECT
        asked.source, asked.message_id, asked.occurred_at, asked.channel, asked.use_case,
        arg_max(said.amount, (said.occurred_at, -said.amount)) AS granted
    FROM asked JOIN said
        ON asked.person = said.person AND said.occurred_at <= asked.occurred_at
        AND (said.channel IS NULL OR said.channel = asked.channel)
    GROUP BY
        asked.source, asked.message_id, asked.occurred_at, asked.channel, asked.use_case, said.purpose, said.channel
),
judged AS (
    SELECT source, message_id, occurred_at, channel, use_case FROM held GROUP BY ALL HAVING max(granted) = 0
)
SELECT occurred_at AS began_at, channel, use_case, count(*) AS breaches FROM judged GROUP BY ALL
