"""The least SQL for what the product does with streaks, and a crowd to do it with, made by the database itself.

The tables are the product's own, with its indexes: what is compared is what happens above them. Identifiers are ordered by
the number they are made from, as those of the product are by time.
"""

_PARTICIPANT = """
    participants_participant (id, tenant_id, external_id, attributes, past_zones, is_active, balance, total_earned,
        total_spent, total_expired, ledger_count, total_events, tier_is_manual, tier_count, badge_count,
        challenges_completed, rewards_claimed, visible, first_seen_at, last_seen_at)
"""
_NO_POINTS = "'{}', '[]', true, 0, 0, 0, 0, 0, 0, false, 0, 0, 0, 0, true"
_STATE = """
    streaks_participantstreak (id, tenant_id, participant_id, streak_id, revision, runs, carried, progress, paid, vouched, freezes,
        last_activity_at, count, warned_of, at_risk_at, breaks_at, created_at)
"""

PEOPLE = f"""
    INSERT INTO {_PARTICIPANT}
    SELECT lpad(to_hex(n), 32, '0')::uuid, %(tenant)s, 'user_' || n, {_NO_POINTS}, %(now)s, %(now)s
    FROM generate_series(1, %(states)s) AS n
"""

# Runs of every length up to a year. Every so many of them is due: its run ended the day before yesterday, and its risk was
# told.
STATES = f"""
    INSERT INTO {_STATE}
    SELECT lpad(to_hex(n), 32, '0')::uuid, %(tenant)s, lpad(to_hex(n), 32, '0')::uuid, %(streak)s, 1,
        jsonb_build_array(jsonb_build_array(%(today)s - length - CASE WHEN is_due THEN 1 ELSE -1 END, length)),
        '[]', '{{}}', '[]', '{{}}', '[]', %(midnight)s, length,
        CASE WHEN is_due THEN %(midnight)s END,
        CASE WHEN NOT is_due THEN %(midnight)s + interval '44 hours' END,
        CASE WHEN is_due THEN %(midnight)s ELSE %(midnight)s + interval '48 hours' END, %(midnight)s
    FROM generate_series(1, %(states)s) AS n, LATERAL (SELECT n %% %(every)s = 0 AS is_due, n %% 365 + 1 AS length) AS which
"""

# Back to before the sweep.
UNTOLD = """
    UPDATE streaks_participantstreak SET count = (runs -> -1 ->> 1)::int, breaks_at = %(midnight)s
    WHERE tenant_id = %(tenant)s AND breaks_at IS NULL
"""

# All that are due, their outbox rows among them, in one statement.
SWEEP = """
    WITH broken AS (
        UPDATE streaks_participantstreak AS state SET count = 0, breaks_at = NULL, at_risk_at = NULL
        FROM participants_participant AS person
        WHERE state.tenant_id = %(tenant)s AND state.breaks_at <= %(now)s
            AND person.id = state.participant_id AND person.tenant_id = %(tenant)s
        RETURNING state.id, state.participant_id, person.external_id, state.runs
    )
    INSERT INTO participants_domainevent (id, tenant_id, participant_id, type, data, occurred_at)
    SELECT id, %(tenant)s, participant_id, 'streak.broken',
        jsonb_build_object('participant_id', external_id, 'user_id', external_id, 'definition_id', %(streak)s::text,
            'streak_code', 'daily', 'final_count', runs -> -1 -> 1),
        %(now)s
    FROM broken
"""

# One activity: the participant, the row of the streak and the outbox row, written whether they exist or not.
TICK = f"""
    WITH person AS (
        INSERT INTO {_PARTICIPANT}
        VALUES (%(person)s, %(tenant)s, %(name)s, {_NO_POINTS}, now(), now())
        ON CONFLICT (tenant_id, external_id) DO UPDATE SET last_seen_at = EXCLUDED.last_seen_at
        RETURNING id
    ), told AS (
        INSERT INTO participants_domainevent (id, tenant_id, participant_id, type, data, occurred_at)
        SELECT %(event)s, %(tenant)s, id, 'streak.incremented', %(data)s, now() FROM person
    )
    INSERT INTO {_STATE}
    SELECT %(state)s, %(tenant)s, id, %(streak)s, 1, '[[739000, 1]]', '[]', '{{}}', '[]', '{{}}', '[]', now(), 1, NULL,
        now() + interval '44 hours', now() + interval '48 hours', now() FROM person
    ON CONFLICT (tenant_id, participant_id, streak_id) DO UPDATE SET runs = EXCLUDED.runs,
        last_activity_at = EXCLUDED.last_activity_at, count = streaks_participantstreak.count + 1,
        at_risk_at = EXCLUDED.at_risk_at, breaks_at = EXCLUDED.breaks_at
"""
