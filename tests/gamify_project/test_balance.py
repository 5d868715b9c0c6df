"""Which worker accepts a connection, decided from the numbers in shared memory."""

import itertools
import math

import pytest

from gamify_project.process.web.balance import Slots, may_accept

NOW = 1000.0
TURNS = (0, 1, 1, 1, 0, 1, 1)  # the worker that tries to accept


@pytest.mark.parametrize(
    ("own", "others", "accepts"),
    [
        (0, [], True),
        (5, [(5, NOW)], True),
        (5, [(6, NOW), (7, NOW)], True),
        (5, [(4, NOW), (7, NOW)], False),
        (5, [(4, NOW - 0.9)], False),
        (5, [(4, NOW - 1.0)], True),
        (5, [(0, 0.0), (0, -math.inf)], True),
    ],
    ids=["alone", "equal", "fewest", "more than one other", "another is alive", "another hangs", "empty slots"],
)
def test_a_worker_accepts_unless_a_living_one_has_fewer(own, others, accepts):
    assert may_accept(own, others, now=NOW) is accepts


@pytest.mark.parametrize("number", [4, 40, 41])
def test_two_workers_of_which_one_is_more_eager_end_up_equal(number):
    slots = Slots(4)
    workers = [slots.take(), slots.take()]
    counts = [0, 0]
    for worker, count in zip(workers, counts, strict=True):
        worker.publish(count, now=NOW)

    for eager in itertools.cycle(TURNS):
        if sum(counts) == number:
            break
        if workers[eager].may_accept(counts[eager], now=NOW):
            counts[eager] += 1
            workers[eager].publish(counts[eager], now=NOW)

    assert abs(counts[0] - counts[1]) <= 1


def test_a_slot_that_was_released_does_not_count_and_is_given_again():
    slots = Slots(2)
    dead, living = slots.take(), slots.take()
    dead.publish(0, now=NOW)
    living.publish(3, now=NOW)
    assert not living.may_accept(3, now=NOW)
    assert slots.take() is None

    slots.release(dead)

    assert living.may_accept(3, now=NOW)
    assert slots.take().index == dead.index
