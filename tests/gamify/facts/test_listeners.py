"""The index of definitions by the events that they listen to."""

import pytest

from gamify.facts.engine.listeners import ANY_EVENT, index_listeners

pytestmark = pytest.mark.engine

DEFINITIONS = {"a": ["buy"], "b": [ANY_EVENT], "c": ["login", "buy", "buy"], "d": []}


@pytest.mark.parametrize(
    ("name", "listeners"),
    [("buy", ("a", "b", "c")), ("login", ("b", "c")), ("logout", ("b",)), (ANY_EVENT, ("b",))],
)
def test_a_name_finds_its_listeners_and_those_of_any_event_in_order(name, listeners):
    index = index_listeners(DEFINITIONS, names_of=DEFINITIONS.__getitem__, group=tuple)

    assert index[name] == listeners
    assert set(index.names) == {"buy", "login", ANY_EVENT}


def test_without_listeners_the_group_is_empty():
    assert index_listeners(["a"], names_of=lambda definition: ["buy"], group=tuple)["login"] == ()
