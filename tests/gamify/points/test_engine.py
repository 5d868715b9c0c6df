import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gamify.points.engine import BalanceLimit, InsufficientPoints, Totals, after_adjustment, after_credit, after_debit
from participants.engine import MAX_BIGINT

pytestmark = pytest.mark.engine

amounts = st.integers(min_value=1, max_value=MAX_BIGINT)


def test_a_credit_is_earned_and_can_be_spent():
    assert after_credit(Totals(), 100) == Totals(balance=100, earned=100)


def test_a_debit_is_spent_and_stays_earned():
    assert after_debit(Totals(balance=100, earned=100), 30) == Totals(balance=70, earned=100, spent=30)


def test_a_refused_debit_names_the_balance():
    with pytest.raises(InsufficientPoints, match=r"^Insufficient points\. Available: 30, requested: 50$"):
        after_debit(Totals(balance=30, earned=30), 50)


@given(st.integers(min_value=0, max_value=MAX_BIGINT - 1))
def test_a_debit_is_refused_exactly_above_the_balance(balance):
    totals = Totals(balance=balance, earned=balance)

    assert after_debit(totals, balance).balance == 0
    with pytest.raises(InsufficientPoints):
        after_debit(totals, balance + 1)


@given(st.integers(min_value=1, max_value=MAX_BIGINT - 1))
def test_a_correction_is_refused_exactly_below_zero(balance):
    totals = Totals(balance=balance, earned=balance)

    assert after_adjustment(totals, -balance) == Totals()
    with pytest.raises(InsufficientPoints):
        after_adjustment(totals, -balance - 1)


@given(st.lists(st.tuples(st.sampled_from([after_credit, after_debit]), amounts), max_size=30))
def test_after_any_steps_totals_agree_and_fit_into_64_bits(steps):
    totals = Totals()

    for step, amount in steps:
        try:
            totals = step(totals, amount)
        except (InsufficientPoints, BalanceLimit):
            continue

        assert totals.balance == totals.earned - totals.spent - totals.expired
        assert 0 <= totals.balance <= totals.earned <= MAX_BIGINT


@given(st.integers(min_value=0, max_value=MAX_BIGINT), amounts)
@example(MAX_BIGINT - 1, 1)
@example(MAX_BIGINT, 1)
def test_a_credit_is_refused_exactly_where_64_bits_end(earned, amount):
    totals = Totals(balance=earned, earned=earned)

    if earned + amount <= MAX_BIGINT:
        assert after_credit(totals, amount).earned == earned + amount
    else:
        with pytest.raises(BalanceLimit):
            after_credit(totals, amount)
