import pytest

from participants.models import Participant

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "value", [1e308, -1e308, 1.5, 1e19, 2**63 - 1, -(2**63), 0, 0.1, 5e-324, [1e300, {"deep": 2.5}], True, None]
)
def test_a_json_column_returns_the_number_that_was_stored(api, value):
    api.post("/participants", {"participant_id": "user_1", "attributes": {"x": value}})

    stored = Participant.objects.get().attributes["x"]

    assert stored == value
    assert len(api.get("/participants/user_1").content) < 600


def test_null_clears_the_attributes(api):
    api.post("/participants", {"participant_id": "user_1", "attributes": {"x": 1}})

    assert api.patch("/participants/user_1", {"attributes": None}).json()["attributes"] == {}
