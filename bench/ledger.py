"""A ledger as the services would have written it, made by the database itself, and faults to be planted into it.

Twenty entries for each participant, in the order of time: awards, of which some expire and one is multiplied, debits that use
them, a claim with a code, a reversal; with a tier, a badge, an answer under a key and domain events.
"""

PER_PERSON = 20


def _id(kind: int, *parts: str) -> str:
    """An id of this kind, by the number of the tenant and such numbers as `parts`."""
    numbers = " || ".join(f"lpad(to_hex({part}::int), 12, '0')" for part in parts)
    return f"(lpad(to_hex(%(number)s::int * 16 + {kind}), 8, '0') || {numbers})::uuid"


PERSON = _id(1, "0", "n")
CLAIM, CODE, TALLY = (_id(kind, "0", "n") for kind in (3, 4, 5))
TIER, BADGE, KEY, CREDIT = (_id(kind, "0", "n") for kind in (6, 7, 8, 9))
REWARD = _id(10, "0", "0")


def _entry(k: str) -> str:
    return _id(2, k, "n")


_PEOPLE = f"""
    INSERT INTO participants_participant (id, tenant_id, external_id, attributes, past_zones, is_active, balance, total_earned,
        total_spent, total_expired, ledger_count, total_events, tier_code, tier_is_manual, tier_count, badge_count,
        challenges_completed, rewards_claimed, visible, next_expiry_at, first_seen_at, last_seen_at)
    SELECT {PERSON}, %(tenant)s, 'user_' || n, '{{}}', '[]', true, 360, 900, 540, 0, 20, 0, 'bronze', false, 1, 1, 0, 1, true,
        %(now)s + interval '90 days', %(now)s, %(now)s
    FROM generate_series(1, %(people)s) AS n
"""

_ENTRIES = f"""
    INSERT INTO points_ledgerentry (id, tenant_id, participant_id, number, type, delta, balance_after, base_amount, multiplier,
        expires_at, used, reverses_id, metadata, created_at)
    SELECT {_entry("k")}, %(tenant)s, {PERSON}, k, type, delta, balance_after, CASE WHEN k = 3 THEN 50 END,
        CASE WHEN k = 3 THEN 2 END, CASE WHEN k %% 10 = 9 THEN %(now)s + k / 19 * interval '60 days' + interval '30 days' END,
        CASE WHEN k %% 10 = 0 THEN jsonb_build_object({_entry("k - 1")}, 60)
            WHEN k = 12 THEN jsonb_build_object({_entry("9")}, 40) END,
        CASE WHEN k = 7 THEN {_entry("6")} END, '{{}}', %(now)s + k * interval '1 minute'
    FROM (
        SELECT *, sum(delta) OVER (ORDER BY k) AS balance_after FROM (
            SELECT k, CASE WHEN k = 4 THEN 'claim' WHEN k = 7 THEN 'reversal' WHEN k %% 2 = 1 THEN 'award' ELSE 'deduct' END AS type,
                CASE WHEN k = 7 THEN 60 WHEN k %% 2 = 1 THEN 100 ELSE -60 END AS delta
            FROM generate_series(1, 20) AS k
        ) AS moves
    ) AS kinds, generate_series(1, %(people)s) AS n
    ORDER BY k, n
"""

_CREDITS = f"""
    INSERT INTO points_expiringcredit (id, tenant_id, participant_id, entry_id, rest, expires_at)
    SELECT {_id(9, "k", "n")}, %(tenant)s, {PERSON}, {_entry("k")}, CASE k WHEN 19 THEN 40 ELSE 0 END,
        %(now)s + k / 19 * interval '60 days' + interval '30 days'
    FROM (VALUES (9), (19)) AS expiring (k), generate_series(1, %(people)s) AS n
"""

_REWARD = f"""
    INSERT INTO rewards_reward (id, tenant_id, code, name, is_active, display_order, reward_type, points_cost, claimed, free_codes,
        has_codes, created_at, updated_at)
    VALUES ({REWARD}, %(tenant)s, 'coupon', 'Coupon', true, 0, 'coupon', 60, %(people)s, 0, true, %(now)s, %(now)s)
"""

_CLAIMS = f"""
    INSERT INTO rewards_claim (id, tenant_id, participant_id, reward_id, reward_name, reward_type, status, code_value,
        points_deducted, entry_id, claimed_at)
    SELECT {CLAIM}, %(tenant)s, {PERSON}, {REWARD}, 'Coupon', 'coupon', 'claimed', 'CODE-' || n, 60, {_entry("4")}, %(now)s
    FROM generate_series(1, %(people)s) AS n
"""

_CODES = f"""
    INSERT INTO rewards_rewardcode (id, tenant_id, reward_id, value, claim_id, created_at)
    SELECT {CODE}, %(tenant)s, {REWARD}, 'CODE-' || n, {CLAIM}, %(now)s FROM generate_series(1, %(people)s) AS n
"""

_TALLIES = f"""
    INSERT INTO rewards_rewardtally (id, tenant_id, participant_id, reward_id, claims)
    SELECT {TALLY}, %(tenant)s, {PERSON}, {REWARD}, 1 FROM generate_series(1, %(people)s) AS n
"""

_TIERS = f"""
    INSERT INTO tiers_tierchange (id, tenant_id, participant_id, number, tier_id, code, name, level, how, changed_at)
    SELECT {TIER}, %(tenant)s, {PERSON}, 1, {REWARD}, 'bronze', 'Bronze', 1, 'automatic', %(now)s
    FROM generate_series(1, %(people)s) AS n
"""

_BADGES = f"""
    INSERT INTO badges_badgeaward (id, tenant_id, participant_id, badge_id, earned_at, metadata)
    SELECT {BADGE}, %(tenant)s, {PERSON}, {REWARD}, %(now)s, '{{}}' FROM generate_series(1, %(people)s) AS n
"""

_ANSWERS = f"""
    INSERT INTO participants_idempotencykey (id, tenant_id, operation, subject, key, digest, answer, created_at)
    SELECT {KEY}, %(tenant)s, 'points.award', {PERSON}, 'key-' || n, '100',
        jsonb_build_object('transaction_id', {_entry("1")}, 'amount', 100, 'new_balance', 100), %(now)s
    FROM generate_series(1, %(people)s) AS n
"""

_EVENTS = f"""
    INSERT INTO participants_domainevent (id, tenant_id, participant_id, type, data, occurred_at)
    SELECT {_id(11, "k", "n")}, %(tenant)s, {PERSON}, type, jsonb_build_object('participant_id', 'user_' || n,
        'transaction_id', {_entry("k")}, 'amount', abs(delta), 'delta', delta, 'new_balance', balance), %(now)s
    FROM (VALUES (1, 'points.awarded', 100, 100), (2, 'points.deducted', -60, 40)) AS told (k, type, delta, balance),
        generate_series(1, %(people)s) AS n
"""

FILL = (
    _PEOPLE, _ENTRIES, _CREDITS, _REWARD, _CLAIMS, _CODES, _TALLIES, _TIERS, _BADGES, _ANSWERS, _EVENTS,
)  # fmt: skip


def _of(n: int, table: str, change: str, row: str) -> str:
    return f"UPDATE {table} SET {change} WHERE tenant_id = %(tenant)s AND id = {row.replace('n::int', f'{n}::int')}"


_LEDGER = "points_ledgerentry"
_PARTICIPANT = "participants_participant"

# What it is called, the statement that plants it, and what the line begins with that tells of it. Each is somebody else's.
FAULTS = {
    "a delta": (_of(1, _LEDGER, "delta = 101", _entry("1")), "ledger", "participant user_1"),
    "a balance after": (_of(2, _LEDGER, "balance_after = 41", _entry("8")), "ledger", "participant user_2"),
    "an entry that is gone": (
        f"DELETE FROM {_LEDGER} WHERE id = {_entry('5').replace('n::int', '3::int')}", "ledger", "participant user_3",
    ),
    "a multiplier": (_of(4, _LEDGER, "multiplier = 3", _entry("3")), "ledger", "participant user_4"),
    "what is reversed": (_of(5, _LEDGER, "reverses_id = tenant_id", _entry("7")), "ledger", "participant user_5"),
    "what was used": (_of(6, _LEDGER, "used = NULL", _entry("20")), "ledger", "participant user_6"),
    "a total": (
        _of(7, _PARTICIPANT, "balance = balance + 1, total_earned = total_earned + 1", PERSON),
        "ledger", "participant user_7",
    ),
    "the next to expire": (_of(8, _PARTICIPANT, "next_expiry_at = NULL", PERSON), "ledger", "participant user_8"),
    "a tier": (_of(9, _PARTICIPANT, "tier_code = 'gold'", PERSON), "tiers", "participant user_9"),
    "a claim": (_of(10, "rewards_claim", "entry_id = NULL", CLAIM), "claims", "participant user_10"),
    "a code": (_of(11, "rewards_rewardcode", "claim_id = tenant_id", CODE), "stock", "code 00000024-0000-0000-0000-00000000000b"),
    "an answer": (
        _of(12, "participants_idempotencykey", "answer = answer || '{\"amount\": 99}'", KEY),
        "points answered", "answer under points.award key-12",
    ),
}  # fmt: skip
