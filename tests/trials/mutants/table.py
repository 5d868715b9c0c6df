"""The mutants: small mistakes that a developer could make, and the tests of the area that have to find each of them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One mistake: in `file`, `old` is replaced by `new`. The text `old` occurs exactly once there.

    `tests` are the pytest arguments of its own area. `rebuilds` says that the test database must be created again, because the
    mutant is in a migration.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    rebuilds: bool = False


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant. `test` is the test that found it; None if none did."""

    mutant: Mutant
    test: str | None


def mutants_of(file: str, *tests: str, **mistakes: tuple[str, str]) -> list[Mutant]:
    """Mutants of one file that the same tests have to find. `mistakes` maps names to (old, new)."""
    return [Mutant(name, file, old, new, tests) for name, (old, new) in mistakes.items()]


POINTS = "tests/gamify/points"
STREAKS = "tests/streaks"
REWARDS = "tests/rewards"
PARTICIPANTS = "tests/participants"
WEBHOOKS = "tests/gamify/webhooks"

MUTANTS: tuple[Mutant, ...] = (
    # --- points ---------------------------------------------------------------------------------------------------------
    *mutants_of(
        "gamify/points/engine.py",
        f"{POINTS}/test_engine.py",
        overdraft_of_one_point=("if amount > totals.balance:", "if amount > totals.balance + 1:"),
        limit_of_the_balance_is_one_too_low=(
            "if totals.earned + amount > MAX_BIGINT:",
            "if totals.earned + amount >= MAX_BIGINT:",
        ),
    ),
    *mutants_of(
        "gamify/points/engine.py",
        f"{POINTS}/test_engine.py",
        f"{POINTS}/test_expiry.py",
        f"{POINTS}/test_ledger_machine.py",
        f"{REWARDS}/test_reversing_payments_api.py",
        f"{REWARDS}/test_claims_api.py",
        refund_counts_as_earned=("spent=totals.spent - amount)", "earned=totals.earned + amount)"),
        expiry_counts_as_spent=("expired=totals.expired + amount)", "spent=totals.spent + amount)"),
        correction_below_zero=("if -delta > totals.balance:", "if -delta > totals.balance + 1:"),
        debit_takes_whole_credits=("taken.append(min(rest, amount))", "taken.append(rest)"),
    ),
    *mutants_of(
        "gamify/points/engine.py",
        f"{POINTS}/test_multipliers.py",
        f"{POINTS}/test_granted_amounts.py",
        product_is_rounded_down=(
            "max(1, int((amount * multiplier).to_integral_value(ROUND_HALF_UP)))",
            "max(1, int(amount * multiplier))",
        ),
        award_of_nothing=("return max(1, int((amount", "return max(0, int((amount"),
        lowest_multiplier_counts=("max(factors) for kind", "min(factors) for kind"),
        granted_points_are_not_capped=(
            'GrantedAmount(min(amount, spec.get("max") or MAX_AWARD), amount)',
            "GrantedAmount(amount, amount)",
        ),
    ),
    *mutants_of(
        "participants/engine.py",
        f"{POINTS}/test_multipliers.py",
        period_includes_its_end=("(ends_at is None or at < ends_at)", "(ends_at is None or at <= ends_at)"),
        period_excludes_its_start=("(starts_at is None or starts_at <= at)", "(starts_at is None or starts_at < at)"),
    ),
    *mutants_of(
        "gamify/points/services/lots.py",
        f"{POINTS}/test_expiry.py",
        f"{POINTS}/test_expiry_api.py",
        points_expire_a_moment_late=("if row.expires_at <= work.now:", "if row.expires_at < work.now:"),
        settlement_is_due_a_moment_late=("participant.next_expiry_at <= now", "participant.next_expiry_at < now"),
        debits_use_the_oldest_credit=('rows.order_by("expires_at", "id")', 'rows.order_by("-expires_at", "id")'),
        refund_revives_expired_points=("if row.expires_at > work.now:", "if True:"),
        expired_points_are_spendable_until_written=("participant.balance -= rest", "participant.balance -= 0"),
    ),
    *mutants_of(
        "gamify/points/services/awarding.py",
        f"{POINTS}/test_award_api.py",
        f"{POINTS}/test_award_batch_api.py",
        f"{POINTS}/test_idempotency_api.py",
        f"{POINTS}/test_expiry_api.py",
        award_that_expires_now=("change.expires_at <= work.now:", "change.expires_at < work.now:"),
        answer_of_an_award_is_not_stored=("    work.store_answer(idempotency, answer_from(awarded))\n", ""),
        failed_batch_is_stored=("        if batch.processed:\n", "        if True:\n"),
    ),
    *mutants_of(
        "gamify/points/services/entries.py",
        f"{POINTS}/test_multipliers.py",
        f"{POINTS}/test_granted_amounts.py",
        boost_of_now_counts_for_the_past=("at=at or work.now)", "at=work.now)"),
    ),
    *mutants_of(
        "gamify/points/services/writing.py",
        f"{POINTS}/test_ledger_machine.py",
        f"{POINTS}/test_award_api.py",
        entries_are_not_numbered_on=("participant.ledger_count += 1", "participant.ledger_count += 0"),
        spent_points_are_not_counted=("    participant.total_spent = totals.spent\n", ""),
    ),
    # --- the unit of work -------------------------------------------------------------------------------------------------
    *mutants_of(
        "participants/work/locking.py",
        f"{POINTS}/test_races.py",
        f"{POINTS}/test_award_api.py",
        f"{PARTICIPANTS}/test_unit_of_work.py",
        no_lock=("ordered.select_for_update(no_key=True) if locks else ordered", "ordered"),
        unsorted_lock=(
            'participants_named("names", size).order_by("id")',
            'participants_named("names", size).order_by("?")',
        ),
        no_tenant_in_the_lock=(
            "_EXTERNAL_ID, size=size), tenant=TENANT)",
            "_EXTERNAL_ID, size=size))",
        ),
    ),
    *mutants_of(
        "participants/work/unit.py",
        f"{PARTICIPANTS}/test_unit_of_work.py",
        f"{POINTS}/test_idempotency_api.py",
        f"{REWARDS}/test_races.py",
        skipped_outbox=(
            "        if not self.is_silent:\n            self.add(event)\n        return event\n",
            "        return event\n",
        ),
        retry_without_key=("return row.answer if row else None", "return None"),
        shared_row_is_not_locked=("return rows.select_for_update() if locks else rows", "return rows"),
        dry_run_is_written=(
            "        if self.is_dry_run:\n            return\n        for function",
            "        for function",
        ),
        silent_unit_announces_nothing=("if DomainEvent in self._rows:", "if False:"),
        tables_are_written_in_any_order=("for model in sorted({", "for model in list({"),
        grant_is_given_twice=("self._used_keys.add(key)", "pass"),
    ),
    *mutants_of(
        "participants/work/idempotency.py",
        f"{POINTS}/test_idempotency_api.py",
        f"{PARTICIPANTS}/test_batch_keys.py",
        key_for_another_request_is_replayed=(
            "if row is not None and row.digest not in",
            "if False and row.digest not in",
        ),
    ),
    Mutant(
        "no_unique_participant",
        "participants/migrations/0001_initial.py",
        'fields=("tenant", "external_id"), name="participant_external_id_unique"',
        'fields=("tenant", "external_id", "id"), name="participant_external_id_unique"',
        (f"{POINTS}/test_races.py",),
        rebuilds=True,
    ),
    # --- callers ------------------------------------------------------------------------------------------------------------
    *mutants_of(
        "participants/models/keys.py",
        f"{PARTICIPANTS}/test_authentication_api.py",
        revoked_key_is_accepted=("self.revoked_at is None and (", "("),
        expired_key_is_accepted=("self.expires_at > now)", "True)"),
    ),
    *mutants_of(
        "participants/api/authentication.py",
        f"{PARTICIPANTS}/test_authentication_api.py",
        f"{PARTICIPANTS}/test_limits_api.py",
        disabled_tenant_is_served=("if not caller.tenant.is_active:", "if False:"),
        guesses_are_not_counted=("            limits.take_authentication_failure(client_address(request))\n", ""),
        forged_address_is_believed=("hops[-trusted]", "hops[0]"),
    ),
    *mutants_of(
        "participants/api/signatures.py",
        f"{PARTICIPANTS}/test_signatures_api.py",
        old_signature_is_accepted=("> TOLERANCE_SECONDS:", "> 100 * TOLERANCE_SECONDS:"),
    ),
    *mutants_of(
        "participants/engine.py",
        f"{PARTICIPANTS}/test_signatures_api.py",
        f"{PARTICIPANTS}/test_parser_api.py",
        f"{PARTICIPANTS}/test_json.py",
        f"{PARTICIPANTS}/test_participant_ids_api.py",
        body_is_not_signed=("path, timestamp.encode(), body))", "path, timestamp.encode()))"),
        nul_is_accepted=('if "\\x00" in text:', 'if "\\x00\\x00" in text:'),
        nesting_is_not_bounded=("if depth > MAX_DEPTH:", "if depth > 100 * MAX_DEPTH:"),
        empty_participant_id=(
            "if not 1 <= len(value) <= MAX_EXTERNAL_ID:",
            "if not 0 <= len(value) <= MAX_EXTERNAL_ID:",
        ),
    ),
    *mutants_of(
        "participants/limits.py",
        f"{PARTICIPANTS}/test_limits_api.py",
        limit_is_only_reported=("    if not is_allowed:\n", "    if False:\n"),
    ),
    # --- tenants ------------------------------------------------------------------------------------------------------------
    *mutants_of(
        "participants/models/definitions.py",
        "tests/gamify/badges/test_admin_badges_api.py",
        "tests/gamify/tiers/test_admin_tiers_api.py",
        no_tenant_of_definitions=("return self.filter(tenant_id=tenant.pk)", "return self.all()"),
    ),
    *mutants_of(
        "participants/models/participants.py",
        f"{PARTICIPANTS}/test_profile_api.py",
        f"{PARTICIPANTS}/test_admin_list_api.py",
        no_tenant_of_participants=("return self.filter(tenant_id=tenant.pk)", "return self.all()"),
    ),
    *mutants_of(
        "participants/admin/base.py",
        "tests/trials/test_tenants.py",
        no_tenant_in_the_console=("rows.none() if tenant is None else rows.filter(tenant_id=tenant.pk)", "rows"),
    ),
    # --- streaks --------------------------------------------------------------------------------------------------------------
    *mutants_of(
        "streaks/engine/counting.py",
        f"{STREAKS}/test_counting.py",
        f"{STREAKS}/test_engine_against_oracle.py",
        run_lives_a_moment_too_long=("now >= breaks_at)", "now > breaks_at)"),
        grace_is_one_window_short=("number, left = last, grace + 1", "number, left = last, max(grace, 1)"),
        grace_windows_are_counted=("found[-1].count + link.count)", "link.last - found[-1].first + 1)"),
        risk_begins_a_moment_late=("now >= at_risk_at and", "now > at_risk_at and"),
        risk_in_a_satisfied_window=("max(end - lead, windows.end(chain.last)) if lead", "end - lead if lead"),
        windows_without_length_are_missed=("left -= not windows.is_empty(number)", "left -= 1"),
    ),
    *mutants_of(
        "streaks/engine/windows.py",
        f"{STREAKS}/test_windows.py",
        naive_day=("+ self.reset, self.zone)", '+ self.reset, "UTC")'),
        window_excludes_its_start=("while self.start(number) > at:", "while self.start(number) >= at:"),
        week_is_named_by_its_first_day=("boundary + timedelta(days=3)).isocalendar()", "boundary).isocalendar()"),
        boundary_in_a_fold_is_the_second=("tzinfo=info, fold=0)", "tzinfo=info, fold=1)"),
    ),
    *mutants_of(
        "streaks/engine/rolling.py",
        f"{STREAKS}/test_counting.py",
        f"{STREAKS}/test_engine_against_oracle.py",
        f"{STREAKS}/test_windows.py",
        rolling_window_opens_late=("if anchor.at <= at), self", "if anchor.at < at), self"),
    ),
    *mutants_of(
        "streaks/selectors/due.py",
        f"{STREAKS}/test_sweeps_in_parallel.py",
        f"{STREAKS}/test_sweeps.py",
        due_rows_are_not_locked=("FOR NO KEY UPDATE OF person, state SKIP LOCKED", ""),
        due_a_moment_late=("AND state.{{column}} <= %s", "AND state.{{column}} < %s"),
    ),
    # --- rules and challenges ---------------------------------------------------------------------------------------------------
    *mutants_of(
        "gamify/rules/engine/limits.py",
        "tests/gamify/rules/test_engine.py",
        once_more_than_ever=("tally.total >= limits.ever:", "tally.total > limits.ever:"),
        once_more_per_day=("limits.per_day) >= limits.per_day:", "limits.per_day) > limits.per_day:"),
        once_more_per_week=("limits.per_week) >= limits.per_week:", "limits.per_week) > limits.per_week:"),
        cooldown_includes_its_end=("at - tally.last_at < cooldown", "at - tally.last_at <= cooldown"),
        week_begins_on_sunday=("timedelta(days=day.weekday())", "timedelta(days=day.isoweekday() % 7)"),
        old_days_are_unlimited=("return newest is not None and day < newest - RETENTION", "return False"),
    ),
    *mutants_of(
        "gamify/challenges/engine.py",
        "tests/gamify/challenges/test_engine.py",
        milestone_is_paid_twice=(
            "each.objectives <= done and each.objectives not in state.paid]",
            "each.objectives <= done]",
        ),
        completed_one_objective_late=("if done < rules.needed:", "if done <= rules.needed:"),
        prerequisites_are_ignored=("all(code in state.done for code in objective.prerequisites)", "True"),
        round_is_not_counted=("round=state.round + 1,", "round=state.round,"),
    ),
    # --- rewards ------------------------------------------------------------------------------------------------------------------
    *mutants_of(
        "rewards/engine/offers.py",
        f"{REWARDS}/test_claims_api.py",
        oversold_by_one=("offer.claimed >= offer.inventory:", "offer.claimed > offer.inventory:"),
        one_claim_too_many=("claims >= offer.max_claims:", "claims > offer.max_claims:"),
        tier_must_be_higher=("tier_level < offer.min_tier_level:", "tier_level <= offer.min_tier_level:"),
        closed_offer_is_open=("if not offer.is_active or not", "if not"),
    ),
    *mutants_of(
        "rewards/services/closing.py",
        f"{REWARDS}/test_claims_api.py",
        f"{REWARDS}/test_races.py",
        f"{REWARDS}/test_admin_rewards_api.py",
        claim_is_refunded_twice=("    if claim.status == ClaimStatus.CANCELLED:\n        raise AlreadyCancelled\n", ""),
        cancelled_piece_stays_taken=("reward.claimed -= 1", "reward.claimed -= 0"),
    ),
    *mutants_of(
        "rewards/services/issuing.py",
        f"{REWARDS}/test_waiting.py",
        f"{REWARDS}/test_claims_api.py",
        waiting_claims_are_overtaken=("    if has_pending_claims(work, reward):\n        raise OutOfStock\n", ""),
        claims_are_not_counted=("tally.claims += 1", "tally.claims += 0"),
    ),
    # --- webhooks -------------------------------------------------------------------------------------------------------------------
    *mutants_of(
        "gamify/webhooks/engine/signing.py",
        f"{WEBHOOKS}/test_engine.py",
        f"{WEBHOOKS}/test_delivering.py",
        time_is_not_signed=("(message_id.encode(), timestamp.encode(), body)", "(message_id.encode(), body)"),
    ),
    *mutants_of(
        "gamify/webhooks/engine/schedule.py",
        f"{WEBHOOKS}/test_engine.py",
        one_try_too_many=("if tries >= MAX_TRIES:", "if tries > MAX_TRIES:"),
        retry_after_shortens_the_pause=("max(pause, retry_after or timedelta(0))", "retry_after or pause"),
        disabled_a_moment_late=("now - failing_since >= DISABLE_AFTER", "now - failing_since > DISABLE_AFTER"),
    ),
    *mutants_of(
        "gamify/webhooks/engine/targets.py",
        f"{WEBHOOKS}/test_guard.py",
        f"{WEBHOOKS}/test_engine.py",
        any_network_is_public=("return is_public(address) or any(", "return True or any("),
        private_address_inside_ipv6=("        return is_public(inner)\n", "        return True\n"),
    ),
    *mutants_of(
        "gamify/webhooks/services/recording.py",
        f"{WEBHOOKS}/test_delivering.py",
        f"{WEBHOOKS}/test_queues.py",
        late_result_counts=("if lease == each.claim.lease:", "if True:"),
    ),
    *mutants_of(
        "gamify/webhooks/services/sequencing.py",
        f"{WEBHOOKS}/test_feed.py",
        positions_are_not_counted_on=("    head.position += len(events)\n", ""),
    ),
    # --- facts and erasure ----------------------------------------------------------------------------------------------------------
    *mutants_of(
        "gamify/facts/services/reversing.py",
        "tests/gamify/facts/test_reversal_api.py",
        event_is_reversed_twice=("        if event.reversed_at is not None:\n            raise AlreadyReversed\n", ""),
    ),
    *mutants_of(
        "participants/services/participants.py",
        f"{PARTICIPANTS}/test_erasure_api.py",
        "tests/trials/test_erasure.py",
        keys_survive_erasure=(
            'Eraser({"idempotency_keys": keys}, delete=_delete_keys, anonymize=_delete_keys)',
            'Eraser({"idempotency_keys": keys}, delete=lambda _: None, anonymize=lambda _: None)',
        ),
    ),
)
