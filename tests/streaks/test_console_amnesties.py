"""Amnesties in the console: declared after a preview, undone, never edited and never deleted."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from streaks.models import Amnesty, Streak
from streaks.services import create_streak, declare_amnesty, record
from tests.console import Console, errors_of, staff, text_of, trail

LIST, ADD, CHANGE, UNDO = (f"streaks_amnesty_{name}" for name in ("changelist", "add", "change", "undo"))


@pytest.fixture
def streaks(tenant):
    """Three streaks. One is a draft without participants."""
    now = timezone.now()
    for code, status in (("daily_login", "active"), ("lesson", "active"), ("later", "draft")):
        data = {"code": code, "name": code.title(), "event_types": [code], "status": status}
        create_streak(tenant=tenant, data=data, now=now)
    tenant.refresh_from_db()
    for participant_id, code in (("ada", "daily_login"), ("bob", "daily_login"), ("ada", "lesson")):
        record(tenant=tenant, participant_id=participant_id, streak_code=code, at=now, now=now)


def form_data(tenant, **fields):
    return {
        "name": "Outage",
        "from_on": "2026-03-01",
        "to_on": "2026-03-02",
        "timezone": "Europe/Berlin",
        "reason": "The database was down.",
        "opened_for": str(tenant.pk),
        **fields,
    }


def declare(tenant, name="Outage", codes=None):
    return declare_amnesty(
        tenant=tenant,
        data={
            "name": name,
            "from_on": timezone.now().date(),
            "to_on": timezone.now().date(),
            "timezone": "UTC",
            "streak_codes": codes,
            "reason": "x",
        },
        now=timezone.now(),
    )


def test_the_form_defaults_to_the_zone_of_the_tenant(tenant):
    tenant.timezone = "Asia/Tokyo"
    tenant.save()

    assert '<option value="Asia/Tokyo" selected>' in text_of(Console(tenant).get(ADD))


def test_a_valid_form_shows_affected_participants_and_writes_nothing(tenant, streaks, nothing_written):
    console = Console(tenant)

    with nothing_written():
        of_all = text_of(console.post(ADD, **form_data(tenant)))
        of_one = text_of(console.post(ADD, **form_data(tenant, streak_codes=["lesson"])))

    assert "<li>All together: 2 participants; alive for 2 of them, at risk now for 0.</li>" in of_all
    assert "<li>Daily_Login: 2 participants, 2 runs alive, 0 at risk now.</li>" in of_all
    assert "Later:" not in of_all
    assert "<li>Lesson: 1 participant, 1 run alive, 0 at risk now.</li>" in of_one
    assert "Daily_Login" not in of_one
    assert trail() == []


def test_a_preview_without_streaks_says_so(tenant):
    assert "No streak is affected." in text_of(Console(tenant).post(ADD, **form_data(tenant)))


def test_a_confirmed_amnesty_is_declared(tenant, streaks):
    console = Console(tenant)

    answer = console.post(ADD, **form_data(tenant, streak_codes=["lesson", "later"], confirmed="yes"))

    amnesty = Amnesty.objects.get()
    assert (str(amnesty.from_on), str(amnesty.to_on), amnesty.timezone) == ("2026-03-01", "2026-03-02", "Europe/Berlin")
    assert (amnesty.tenant, amnesty.streak_codes, amnesty.reason) == (
        tenant,
        ["lesson", "later"],
        "The database was down.",
    )
    assert "Declared: Outage." in text_of(console.client.get(answer.url))
    assert Streak.objects.get(code="lesson").review_due_at is not None
    assert trail() == [("Outage", 1, "Declared.")]


def test_selecting_no_streak_means_all_streaks(tenant, streaks):
    Console(tenant).post(ADD, **form_data(tenant, confirmed="yes"))

    assert Amnesty.objects.get().streak_codes is None


def test_the_form_can_be_changed_before_the_confirmation(tenant, streaks, nothing_written):
    console = Console(tenant)

    with nothing_written():
        shown = text_of(console.post(ADD, **form_data(tenant, streak_codes=["lesson"], edit="yes")))

    assert 'value="2026-03-01"' in shown
    assert 'value="lesson"' in shown
    assert "Preview" in shown


@pytest.mark.parametrize("confirmed", [{}, {"confirmed": "yes"}])
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "This field is required."),
        ("name", "x" * 101, "Ensure this value has at most 100 characters (it has 101)."),
        ("name", "two\u2028lines", "Must not contain control characters."),
        ("from_on", "", "This field is required."),
        ("from_on", "2026-02-30", "Must be a date, such as 2026-02-14."),
        ("from_on", "1969-12-31", "Must be between 1970 and 2199."),
        ("to_on", "2026-02-01", "Must not be before “From”."),
        ("to_on", "2027-03-03", "Must be at most 366 days after “From”."),
        ("to_on", "9999-12-31", "Must be between 1970 and 2199."),
        ("timezone", "Mars/Olympus", "'Mars/Olympus' is not an IANA time zone."),
        ("streak_codes", "unknown", "Select a valid choice. unknown is not one of the available choices."),
        ("reason", "", "This field is required."),
        ("reason", "x" * 501, "Ensure this value has at most 500 characters (it has 501)."),
    ],
)
def test_an_invalid_amnesty_is_refused_on_its_field(tenant, streaks, nothing_written, field, value, message, confirmed):
    console = Console(tenant)

    with nothing_written():
        answer = console.post(ADD, **form_data(tenant, **{field: value}, **confirmed))

    assert errors_of(answer) == {field: [message]}
    assert "Declare it" not in text_of(answer)
    assert trail() == []


def test_an_amnesty_is_undone_after_a_preview(tenant, streaks):
    amnesty = declare(tenant, codes=["lesson"])
    console = Console(tenant)

    look = text_of(console.get(UNDO, amnesty.pk))
    answer = console.post(UNDO, amnesty.pk)

    amnesty.refresh_from_db()
    assert "<li>Lesson: 1 participant" in look
    assert amnesty.undone_at is not None
    assert "Undone: Outage." in text_of(console.client.get(answer.url))
    assert trail() == [("Outage", 2, "Undone.")]


def test_an_undone_amnesty_cannot_be_undone_again(tenant, nothing_written):
    amnesty = declare(tenant)
    console = Console(tenant)
    console.post(UNDO, amnesty.pk)

    with nothing_written():
        console.post(UNDO, amnesty.pk)

    assert f"/{amnesty.pk}/undo/" not in text_of(console.get(CHANGE, amnesty.pk))
    assert len(trail()) == 1


def test_the_list_shows_which_amnesties_are_in_force(tenant):
    declare(tenant, "First")
    second = declare(tenant, "Second", codes=[])
    console = Console(tenant)
    console.post(UNDO, second.pk)

    shown = text_of(console.get(LIST))

    assert shown.index(">Second<") < shown.index(">First<")
    assert "in force" in shown
    assert "undone" in shown
    assert ">First<" not in text_of(console.get(LIST, q="secon"))


def test_amnesties_cannot_be_edited_or_deleted(tenant, nothing_written):
    amnesty = declare(tenant)
    console = Console(tenant)

    with nothing_written():
        assert console.post(CHANGE, amnesty.pk, **form_data(tenant)).status_code == 403
        assert console.post("streaks_amnesty_delete", amnesty.pk, post="yes").status_code == 403
        console.post(LIST, action="delete_selected", post="yes", _selected_action=[str(amnesty.pk)])


def test_amnesties_of_other_tenants_are_not_accessible(tenant, other_tenant, streaks, nothing_written):
    strangers = [declare(owner, "hidden one") for owner in (other_tenant, tenant.sandbox)]
    console = Console(tenant)

    with nothing_written():
        for stranger in strangers:
            assert console.get(CHANGE, stranger.pk).status_code == 302
            assert console.post(UNDO, stranger.pk).status_code == 302
        assert "hidden one" not in text_of(console.get(LIST))

    assert trail() == []


def test_a_form_opened_for_another_tenant_declares_nothing(tenant, other_tenant, nothing_written):
    console = Console(other_tenant)

    with nothing_written():
        answer = console.post(ADD, **form_data(tenant, confirmed="yes"))

    assert "Another tenant was chosen meanwhile" in text_of(answer)


def test_each_permission_opens_one_thing(tenant, streaks, nothing_written):
    amnesty = declare(tenant)
    console = Console(tenant, user=staff("streaks.view_amnesty"))

    with nothing_written():
        assert console.get(LIST).status_code == 200
        assert console.get(CHANGE, amnesty.pk).status_code == 200
        assert console.get(ADD).status_code == 403
        assert console.post(ADD, **form_data(tenant, confirmed="yes")).status_code == 403
        assert console.post(UNDO, amnesty.pk).status_code == 403


def test_staff_with_add_permission_declare_and_with_change_permission_undo(tenant, streaks):
    Console(tenant, user=staff("streaks.add_amnesty")).post(ADD, **form_data(tenant, confirmed="yes"))
    amnesty = Amnesty.objects.get()
    User.objects.update(username="colleague")

    Console(tenant, user=staff("streaks.change_amnesty")).post(UNDO, amnesty.pk)

    amnesty.refresh_from_db()
    assert amnesty.undone_at is not None
    assert trail() == [("Outage", 1, "Declared."), ("Outage", 2, "Undone.")]


def test_the_page_needs_two_queries_per_shown_streak(tenant, streaks, queries):
    console = Console(tenant)

    with queries(
        6 + 2 * 3
    ):  # session, user, second factor, picked tenant, streaks of the form, of the preview; two per line
        console.post(ADD, **form_data(tenant))
