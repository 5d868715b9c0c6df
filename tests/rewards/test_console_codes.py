"""Codes of a reward in the console: previewed, added, listed, revealed."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from rewards.models import RewardCode
from rewards.services import claim
from tests.console import Console, errors_of, fields_of, staff, text_of, trail
from tests.rewards.conftest import NOW

PAGE = "rewards_reward_add_codes"


def summary_in(answer):
    return list(answer.context["preview"])


def submitted(answer):
    """Return what the button under the preview submits."""
    html = answer.content.decode()
    return fields_of(html[html.index('class="console-box"') :])


def confirm(console, reward, preview):
    return console.post(PAGE, reward.pk, **submitted(preview), confirmed="yes")


def test_a_list_is_previewed_before_anything_is_stored(tenant, make_reward, nothing_written):
    reward, console = make_reward(codes=["A"]), Console(tenant)

    with nothing_written():
        answer = console.post(PAGE, reward.pk, codes="B\nA\n\nC,D\nB\nE\x01")

    assert summary_in(answer) == [
        "New codes: 1.",
        "Already in stock or handed out, ignored: 1 (A).",
        "Repeated in the list, added once: 1.",
        "Invalid lines, ignored: 2.",
        "Line 4: Has 2 fields; give one code in each line.",
        "Line 6: Must not contain control characters.",
    ]


def test_confirmed_codes_are_in_stock(tenant, make_reward):
    reward, console = make_reward(codes=["A"]), Console(tenant)
    text = 'code\nB\nA\n"C ""3"", or so"\n'

    answer = confirm(console, reward, console.post(PAGE, reward.pk, codes=text))

    assert answer.status_code == 302
    assert set(RewardCode.objects.values_list("value", flat=True)) == {"A", "B", 'C "3", or so'}
    assert "Added 2 codes. Ignored 1 duplicates." in text_of(console.get("rewards_reward_change", reward.pk))
    assert trail()[-1][2] == "Added 2 codes."


def test_a_file_is_previewed_and_confirmed_without_sending_it_again(tenant, make_reward):
    reward, console = make_reward(), Console(tenant)
    file = SimpleUploadedFile("codes.csv", b"\xef\xbb\xbfCode\r\nB\r\nC\r\n", "text/csv")

    preview = console.post(PAGE, reward.pk, file=file)
    confirm(console, reward, preview)

    assert summary_in(preview) == ["New codes: 2."]
    assert set(RewardCode.objects.values_list("value", flat=True)) == {"B", "C"}


def test_the_preview_leads_back_to_the_list(tenant, make_reward, nothing_written):
    reward, console = make_reward(), Console(tenant)
    preview = console.post(PAGE, reward.pk, codes="B\nC")

    with nothing_written():
        answer = console.post(PAGE, reward.pk, **submitted(preview), edit="yes")

    assert "Preview" in text_of(answer)
    assert fields_of(answer.content.decode().partition('class="console-box"')[2])["codes"] == ["code\r\nB\r\nC\r\n"]


@pytest.mark.parametrize(
    ("given", "field", "problem"),
    [
        ({}, "__all__", "Give a file or a list."),
        ({"codes": "code\n,,\n"}, "codes", "Contains no code."),
        ({"codes": "A,B"}, "codes", "Line 1: Has 2 fields; give one code in each line."),
        (
            {"codes": "\n".join(map(str, range(10_001)))},
            "codes",
            "Contains 10,001 codes; at most 10,000 are allowed. Use the command import_codes for larger files.",
        ),
        (
            {"file": SimpleUploadedFile("big.csv", b"x" * (1024 * 1024 + 1))},
            "file",
            "Is larger than 1,048,576 bytes. Use the command import_codes for larger files.",
        ),
        ({"file": SimpleUploadedFile("utf16.csv", b"\xff\xfeA\x00\n\x00")}, "file", "Line 1: Is not UTF-8."),
        ({"file": SimpleUploadedFile("a.csv", b"A"), "codes": "B"}, "__all__", "Give a file or a list."),
    ],
)
@pytest.mark.parametrize("confirmed", [{}, {"confirmed": "yes"}])
def test_input_without_codes_is_refused_at_its_field(
    tenant, make_reward, nothing_written, given, field, problem, confirmed
):
    reward, console = make_reward(), Console(tenant)
    for file in filter(lambda each: isinstance(each, SimpleUploadedFile), given.values()):
        file.seek(0)

    with nothing_written():
        answer = console.post(PAGE, reward.pk, **given, **confirmed)

    assert problem in errors_of(answer)[field]


def test_permission_to_view_is_not_permission_to_add_codes(tenant, make_reward):
    reward = make_reward()
    reader = Console(tenant, user=staff("rewards.view_reward"))

    assert reader.post(PAGE, reward.pk, codes="A", confirmed="yes").status_code == 403


# --- the stock ----------------------------------------------------------------------------------------------------------

FREE, TAKEN = "SAVE10-FREE77", "SAVE10-ABC123"


@pytest.fixture
def reward(tenant, make_reward):
    reward = make_reward(codes=[TAKEN, FREE, "short"])
    claim(tenant=tenant, reward_id=str(reward.pk), participant_id="ada", now=NOW)
    return reward


def test_codes_are_listed_masked(tenant, reward):
    shown = text_of(Console(tenant).get("rewards_rewardcode_changelist", reward_id=str(reward.pk)))

    assert "••••••••••E77" in shown
    assert "••••••••••123" in shown
    assert "•••••" in shown
    assert not any(code in shown for code in (FREE, TAKEN, "short", "SAVE10"))


@pytest.mark.parametrize(("status", "ends"), [("free", ["E77"]), ("taken", ["123"])])
def test_codes_are_filtered_by_status(tenant, reward, status, ends):
    shown = text_of(Console(tenant).get("rewards_rewardcode_changelist", status=status))

    assert [end for end in ("E77", "123") if f"••{end}" in shown] == ends
    assert ("View claim" in shown) is (status == "taken")


def test_the_whole_code_finds_its_claim(tenant, reward, other_tenant):
    console = Console(tenant)

    assert "View claim" in text_of(console.get("rewards_rewardcode_changelist", q=TAKEN))
    assert "••123" not in text_of(console.get("rewards_rewardcode_changelist", q="ABC123"))
    console.pick(other_tenant)
    assert "View claim" not in text_of(console.get("rewards_rewardcode_changelist", q=TAKEN))


def test_the_list_takes_a_constant_number_of_queries(tenant, make_reward, queries):
    console = Console(tenant)
    make_reward("Few", codes=["A"])
    make_reward("Many", codes=[f"B{number}" for number in range(40)])

    with queries(5):  # session, user, second factor, tenant; codes with their rewards
        console.get("rewards_rewardcode_changelist")


def test_revealing_a_code_is_recorded_without_the_code(tenant, reward):
    console, code = Console(tenant), RewardCode.objects.get(value=FREE)
    before = text_of(console.get("rewards_rewardcode_change", code.pk))

    console.post("rewards_rewardcode_reveal", code.pk)

    assert FREE not in before
    assert f"The code is {FREE}" in text_of(console.get("rewards_rewardcode_change", code.pk))
    assert trail()[-1][::2] == ("••••••••••E77", "Revealed the code.")


def test_permission_to_view_the_list_is_not_permission_to_reveal_codes(tenant, reward):
    reader = Console(tenant, user=staff("rewards.view_rewardcode"))
    code = RewardCode.objects.get(value=FREE)

    assert reader.get("rewards_rewardcode_change", code.pk).status_code == 200
    assert reader.post("rewards_rewardcode_reveal", code.pk).status_code == 403


def test_codes_of_other_tenants_are_not_found(other_tenant, reward):
    code = RewardCode.objects.get(value=FREE)

    assert Console(other_tenant).get("rewards_rewardcode_change", code.pk).status_code == 302


def test_the_page_of_a_reward_leads_to_its_codes(tenant, reward):
    shown = text_of(Console(tenant).get("rewards_reward_change", reward.pk))

    assert f"/console/rewards/rewardcode/?reward_id={reward.pk}" in shown
