"""Every fault that is planted into a long history is found, and nothing else."""

import json
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F

from gamify.badges.models import BadgeAward
from gamify.points.models import ExpiringCredit, LedgerEntry
from gamify.tiers.models import TierChange
from participants import auditing
from participants.models import AuditRun, DomainEvent, IdempotencyKey, Participant
from participants.services.auditing import audit, audit_size
from participants.services.participants import delete
from rewards.models import Claim, Reward, RewardCode, RewardTally
from tests.busy import DAY, NOW, Busy
from tests.factories import ParticipantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy(tenant):
    return Busy(tenant)


@pytest.fixture(autouse=True)
def many_chunks(monkeypatch):
    monkeypatch.setattr(auditing, "CHUNK", 3)


def found(tenant):
    drifts = []
    audit(tenant=tenant, now=NOW, report=drifts.append)
    return {(drift.audit, drift.what) for drift in drifts}


def event_of(busy, kind):
    return DomainEvent.objects.filter(tenant_id=busy.tenant_id, type=kind).order_by("pk")


def told_otherwise(event, **data):
    event.data = {**event.data, **data}
    event.save()


def answered_otherwise(key, change):
    row = IdempotencyKey.objects.get(key=key, operation__startswith=change.pop("operation", ""))
    row.answer = row.answer | change
    row.save()


def batch_answered_otherwise():
    row = IdempotencyKey.objects.get(key="batch")
    row.answer[0]["transaction_id"] = str(uuid4())
    row.save()


def codes_exchanged(busy):
    """Give the code of one claim to another claim as well."""
    value = Claim.objects.get(pk=busy.early_claim).code_value
    Claim.objects.filter(pk=busy.free_claim).update(code_value=value)


def used_otherwise(busy):
    entry = busy.entries("ada", pk=busy.deducted).get()
    [(credit, part)] = entry.used.items()
    busy.entries("ada", pk=entry.pk).update(used={credit: part - 1})


def expired_otherwise(busy):
    entry = busy.entries("ada", type="expire").get()
    busy.entries("ada", pk=entry.pk).update(used={str(busy.first): -entry.delta})


def lasting(busy):
    """Return the credit that expires last and was not used."""
    return ExpiringCredit.objects.filter(participant__external_id="ada").order_by("-expires_at")[:1].get()


def change(rows, **values):
    assert rows.update(**values) == 1


LEDGER = {
    "a delta": (
        lambda busy: change(busy.entries("ada", pk=busy.first), delta=51),
        {("ledger", "balance_after"), ("ledger", "balance"), ("ledger", "total_earned"), ("points answered", "delta"),
         ("points told", "delta")},
    ),
    "a balance after": (
        lambda busy: change(busy.entries("ada", number=3), balance_after=F("balance_after") + 1),
        {("ledger", "balance_after"), ("points told", "balance_after")},
    ),
    "a lost entry": (
        lambda busy: busy.entries("bo", type="adjust", delta=25).delete(),
        {("ledger", "number"), ("ledger", "balance_after"), ("ledger", "balance"), ("ledger", "total_earned"),
         ("points answered", "ledger entry"), ("points told", "ledger entry")},
    ),
    "the newest entry lost": (
        lambda busy: busy.entries("cy").order_by("-number")[:1].get().delete(),
        {("ledger", "ledger_count"), ("ledger", "balance"), ("ledger", "total_earned"), ("ledger", "rest"),
         ("points told", "ledger entry")},
    ),
    "a type": (
        lambda busy: change(busy.entries("cy", type="deduct"), type="expire"),
        {("ledger", "total_spent"), ("ledger", "total_expired"), ("ledger", "used"), ("ledger", "delta"),
         ("ledger", "expires_at")},
    ),
    "an unknown type": (
        lambda busy: change(busy.entries("bo", type="adjust", delta=25), type="gift"),
        {("ledger", "type"), ("ledger", "total_earned"), ("ledger", "total_spent")},
    ),
    "a multiplier": (
        lambda busy: change(busy.entries("ada", pk=busy.doubled), multiplier=3),
        {("ledger", "base_amount × multiplier")},
    ),
    "a base amount that is gone": (
        lambda busy: change(busy.entries("ada", pk=busy.doubled), base_amount=None),
        {("ledger", "multiplier")},
    ),
    "what an entry reverses": (
        lambda busy: change(busy.entries("ada", pk=busy.undoing), reverses_id=busy.entries("bo", number=1).get().pk),
        {("ledger", "reverses"), ("ledger", "total_earned"), ("ledger", "total_spent")},
    ),
    "a reversal of nothing": (
        lambda busy: change(busy.entries("bo", type="reversal"), reverses_id=None),
        {("ledger", "reverses"), ("ledger", "total_earned"), ("ledger", "total_spent")},
    ),
    "a refund of an award": (
        lambda busy: change(busy.entries("ada", type="refund"), reverses_id=busy.first),
        {("ledger", "reverses"), ("ledger", "rest"), ("claims", "refund")},
    ),
    "what a debit used": (used_otherwise, {("ledger", "rest"), ("ledger", "used")}),
    "what has expired": (expired_otherwise, {("ledger", "used"), ("ledger", "rest")}),
    "a rest": (
        lambda busy: change(ExpiringCredit.objects.filter(pk=lasting(busy).pk), rest=F("rest") + 1),
        {("ledger", "rest")},
    ),
    "a rest beyond the balance": (
        lambda busy: change(ExpiringCredit.objects.filter(pk=lasting(busy).pk), rest=100_000),
        {("ledger", "rest"), ("ledger", "rests of credits")},
    ),
    "when a credit expires": (
        lambda busy: change(ExpiringCredit.objects.filter(pk=lasting(busy).pk), expires_at=NOW + 500 * DAY),
        {("ledger", "expires_at")},
    ),
    "a credit of no entry": (
        lambda busy: ExpiringCredit.objects.create(
            tenant_id=busy.tenant_id, participant=busy.person("bo").get(), entry_id=uuid4(), rest=0, expires_at=NOW
        ),
        {("ledger", "entry")},
    ),
    "a credit that is gone": (
        lambda busy: lasting(busy).delete(),
        {("ledger", "expires_at")},
    ),
    "when the next expires": (
        lambda busy: change(busy.person("ada"), next_expiry_at=None),
        {("ledger", "next_expiry_at")},
    ),
    "a balance": (
        lambda busy: change(busy.person("ada"), balance=F("balance") + 5, total_earned=F("total_earned") + 5),
        {("ledger", "balance"), ("ledger", "total_earned")},
    ),
    "totals that agree with each other": (
        lambda busy: change(busy.person("bo"), total_spent=F("total_spent") - 5, total_expired=F("total_expired") + 5),
        {("ledger", "total_spent"), ("ledger", "total_expired")},
    ),
    "totals of somebody without entries": (
        lambda busy: ParticipantFactory(tenant_id=busy.tenant_id, balance=5, total_earned=5, tenant=None),
        {("ledger", "balance"), ("ledger", "total_earned")},
    ),
    "a count of entries": (
        lambda busy: change(busy.person("bo"), ledger_count=F("ledger_count") + 1),
        {("ledger", "ledger_count")},
    ),
    "an entry of somebody else": (
        lambda busy: change(busy.entries("bo", number=1), participant_id=uuid4()),
        {("ledger", "ledger entries or credits of no participant"), ("ledger", "number"), ("ledger", "balance_after"),
         ("ledger", "balance"), ("ledger", "total_earned"), ("points told", "participant_id"),
         ("points answered", "participant_id")},
    ),
}  # fmt: skip

REST = {
    "the count of changes of tier": (
        lambda busy: change(busy.person("ada"), tier_count=F("tier_count") + 1),
        {("tiers", "tier_count")},
    ),
    "where somebody stands": (lambda busy: change(busy.person("cy"), tier_code="bronze"), {("tiers", "tier_code")}),
    "a change of tier that is gone": (
        lambda busy: TierChange.objects.get(participant__external_id="ada", number=1).delete(),
        {("tiers", "number of a change of tier")},
    ),
    "a badge that is gone": (
        lambda busy: BadgeAward.objects.get(participant__external_id="bo").delete(),
        {("badges", "badge_count")},
    ),
    "a badge of no participant": (
        lambda busy: change(BadgeAward.objects.filter(participant__external_id="bo"), participant_id=uuid4()),
        {("badges", "badge_count"), ("badges", "badges of no participant")},
    ),
    "what a claim has cost": (
        lambda busy: change(Claim.objects.filter(pk=busy.late_claim), points_deducted=19),
        {("claims", "points_deducted"), ("claims told", "points_deducted")},
    ),
    "who has paid for a claim": (
        lambda busy: change(Claim.objects.filter(pk=busy.free_claim), entry_id=uuid4()),
        {("claims", "entry")},
    ),
    "a claim cancelled without a refund": (
        lambda busy: change(Claim.objects.filter(pk=busy.late_claim), status="cancelled"),
        {("claims", "refund"), ("claims", "tally"), ("claims", "rewards_claimed"), ("stock", "claimed")},
    ),
    "a refund that no claim names": (
        lambda busy: change(Claim.objects.filter(pk=busy.cancelled), refund_id=None),
        {("claims", "refund"), ("claims", "claims of a refund")},
    ),
    "a claim that is gone": (
        lambda busy: Claim.objects.get(pk=busy.early_claim).delete(),
        {("claims", "claims of a claim"), ("claims", "tally"), ("claims", "rewards_claimed"), ("stock", "claimed"),
         ("stock", "claim"), ("claims answered", "claim"), ("claims told", "claim")},
    ),
    "a tally": (
        lambda busy: change(RewardTally.objects.filter(participant__external_id="ada"), claims=7),
        {("claims", "tally")},
    ),
    "how many rewards somebody has": (
        lambda busy: change(busy.person("ada"), rewards_claimed=7),
        {("claims", "rewards_claimed")},
    ),
    "how many are gone": (
        lambda busy: change(Reward.objects.filter(pk=busy.mug.pk), claimed=1),
        {("stock", "claimed")},
    ),
    "how many codes are free": (
        lambda busy: change(Reward.objects.filter(pk=busy.coupon.pk), free_codes=9),
        {("stock", "free_codes")},
    ),
    "a code handed out twice": (codes_exchanged, {("stock", "claim"), ("stock", "code")}),
    "two codes for one claim": (
        lambda busy: RewardCode.objects.filter(value="C0").update(
            claim_id=RewardCode.objects.get(value="C1").claim_id
        ),
        {("stock", "claim"), ("stock", "codes"), ("stock", "code")},
    ),
    "an answer that names no entry": (
        lambda busy: answered_otherwise("spent", {"transaction_id": str(uuid4())}),
        {("points answered", "ledger entry")},
    ),
    "an answer that names no id at all": (
        lambda busy: answered_otherwise("spent", {"transaction_id": 7}),
        {("points answered", "ledger entry")},
    ),
    "what an answer says": (
        lambda busy: answered_otherwise("lasting", {"amount": 1}),
        {("points answered", "delta")},
    ),
    "an answer to somebody else": (
        lambda busy: change(IdempotencyKey.objects.filter(key="first"), subject=busy.person("bo").get().pk),
        {("points answered", "participant_id")},
    ),
    "an answer to nobody": (
        lambda busy: change(IdempotencyKey.objects.filter(key="first"), subject=uuid4()),
        {("points answered", "participant_id"), ("idempotency keys", "participant")},
    ),
    "an answer to a batch": (lambda busy: batch_answered_otherwise(), {("points answered", "ledger entry")}),
    "an answer to a claim": (
        lambda busy: answered_otherwise("claimed", {"claim_id": str(busy.late_claim)}),
        {("claims answered", "participant_id")},
    ),
    "an event that names no entry": (
        lambda busy: told_otherwise(event_of(busy, "points.deducted")[0], transaction_id=str(uuid4())),
        {("points told", "ledger entry")},
    ),
    "what an event says": (
        lambda busy: told_otherwise(event_of(busy, "points.awarded")[0], delta=1),
        {("points told", "delta")},
    ),
    "an event of a claim": (
        lambda busy: told_otherwise(event_of(busy, "reward.claimed")[0], points_deducted=1),
        {("claims told", "points_deducted")},
    ),
}  # fmt: skip


def test_a_long_history_has_no_drifts(tenant, busy):
    assert found(tenant) == set()


def test_shared_totals_have_no_drifts_after_an_erasure(tenant, busy):
    for who in ("ada", "bo"):
        delete(tenant=tenant, external_id=who, now=busy.now + DAY)

    assert found(tenant) == set()


def test_less_stock_used_than_claims_made_is_a_drift_even_after_erasures(tenant, busy):
    delete(tenant=tenant, external_id="ada", now=busy.now + DAY)
    Reward.objects.update(claimed=0)

    assert found(tenant) == {("stock", "claimed")}


@pytest.mark.parametrize("faults", [LEDGER, REST], ids=["ledger", "rest"])
def test_planted_faults_are_found_and_nothing_else(tenant, busy, faults):
    assert {name: found_of(tenant, busy, plant) for name, (plant, _) in faults.items()} == {
        name: expected for name, (_, expected) in faults.items()
    }


def found_of(tenant, busy, plant):
    """Return the drifts that one fault causes, then undo the fault."""
    with transaction.atomic():
        plant(busy)
        drifts = found(tenant)
        transaction.set_rollback(True)
    return drifts


def test_rows_of_a_participant_who_is_gone_are_found(tenant, busy):
    busy.person("bo")._raw_delete("default")

    assert {what for _, what in found(tenant)} >= {
        "ledger entries or credits of no participant",
        "changes of tier of no participant",
        "badges of no participant",
        "claims of no participant",
    }


def test_another_tenant_is_not_affected(tenant, other_tenant, busy):
    busy.person("ada").update(tier_count=99)

    assert found(other_tenant) == set()


def test_a_drift_names_its_row_and_the_expected_value(tenant, busy):
    busy.person("ada").update(tier_count=99)
    drifts = []

    audit(tenant=tenant, now=NOW, report=drifts.append)

    [drift] = drifts
    assert (drift.audit, drift.about, drift.what, drift.expected, drift.found) == (
        "tiers", "participant ada", "tier_count", 2, 99,
    )  # fmt: skip


def test_every_row_that_is_announced_is_seen(tenant, busy):
    seen = []

    audited = audit(tenant=tenant, now=NOW, report=print, report_progress=seen.append)

    assert sum(seen) == audit_size(tenant) == audited.rows


# --- the command ----------------------------------------------------------------------------------------------------------


def run(*args):
    """Return the exit code and the output of the command."""
    out, code = StringIO(), 0
    try:
        call_command("verify_ledger", *args, stdout=out)
    except SystemExit as exit_:
        code = exit_.code
    return code, out.getvalue()


def test_the_command_exits_with_0_without_drifts(tenant, other_tenant, busy):
    code, text = run()

    assert code == 0
    assert text.splitlines() == ["tenants  4", f"rows     {audit_size(tenant)}", "drifts   0"]


def test_the_command_prints_each_drift_on_a_line_and_exits_with_1(tenant, busy):
    busy.person("ada").update(tier_count=99)
    busy.person("bo").update(badge_count=99)

    code, text = run("--tenant", "acme")

    assert code == 1
    assert text.splitlines()[:2] == [
        "acme live, tiers: participant ada: tier_count: expected 2, found 99",
        "acme live, badges: participant bo: badge_count: expected 1, found 99",
    ]
    assert text.splitlines()[2:] == ["tenants  1", f"rows     {audit_size(tenant)}", "drifts   2"]


def test_the_command_prints_up_to_the_limit_and_counts_all(tenant, busy):
    Participant.objects.filter(tenant=tenant).update(tier_count=99)

    code, text = run("--tenant", "acme", "--limit", "1", "--json")
    printed = json.loads(text)

    assert (code, printed["drifts"], len(printed["found"])) == (1, 5, 1)
    assert printed["found"][0].keys() == {"tenant", "environment", "audit", "about", "what", "expected", "found"}


def test_the_sandbox_is_another_tenant(tenant, busy):
    busy.person("ada").update(tier_count=99)

    assert run("--tenant", "acme", "--sandbox")[0] == 0


class Terminal(StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_a_bar_shows_how_far_it_is(tenant, busy, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    screen = Terminal()

    call_command("verify_ledger", "--tenant", "acme", stderr=screen, stdout=StringIO())

    assert f"{audit_size(tenant)}/{audit_size(tenant)}" in screen.getvalue()


def test_an_unknown_tenant_is_refused(db):
    with pytest.raises(CommandError, match=r"^Tenant not found: nobody$"):
        run("--tenant", "nobody")


def test_the_result_of_an_audit_is_stored(tenant, busy):
    busy.person("ada").update(tier_count=99)
    for later in (timedelta(0), DAY):
        audit(tenant=tenant, now=NOW + later, report=print)

    kept = AuditRun.objects.get()
    assert (kept.tenant, kept.began_at, kept.audited_at, kept.drifts) == (tenant, NOW + DAY, NOW + DAY, 1)
    assert kept.rows == audit_size(tenant)
    assert LedgerEntry.objects.filter(tenant=tenant).count() < kept.rows
