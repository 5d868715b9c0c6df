"""The command that imports codes."""

import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from participants.models import FileImport
from participants.services.tenants import create_tenant
from rewards.models import Reward, RewardCode
from rewards.services import create_reward
from tests.rewards.test_claims_api import claim


@pytest.fixture
def write_file(tmp_path):
    """`write_file("A\\nB\\n")` is the path of a file with these lines under a header."""

    def write(lines, name="codes.csv", header="code\n"):
        path = tmp_path / name
        path.write_bytes((header + lines).encode())
        return str(path)

    return write


def import_codes_from(path, reward, *options, tenant="acme"):
    out, err = io.StringIO(), io.StringIO()
    name = getattr(reward, "code", reward)
    call_command("import_codes", path, "--tenant", tenant, "--reward", name, "--json", *options, stdout=out, stderr=err)
    report = json.loads(out.getvalue())
    return tuple(report[name] for name in ("lines", "recorded", "repeated", "bad")), err.getvalue()


def values():
    return list(RewardCode.objects.order_by("pk").values_list("value", flat=True))


def test_codes_are_added_in_order_batch_by_batch(api, make_reward, write_file):
    reward = make_reward(codes=["A"])

    counts, _ = import_codes_from(write_file("Z\nA\n B \nZ\nC\n"), reward, "--batch", "2")

    assert counts == (5, 3, 2, 0)
    assert values() == ["A", "Z", "B", "C"]
    assert Reward.objects.get().free_codes == 4
    assert claim(api, reward).json()["code_value"] == "A"


def test_the_reward_can_be_named_by_its_id(make_reward, write_file):
    reward = make_reward()

    import_codes_from(write_file("A\n"), str(reward.pk))

    assert values() == ["A"]


def test_a_second_run_does_nothing_unless_it_is_for_another_reward(make_reward, write_file):
    reward, other, path = make_reward(), make_reward("Other"), write_file("A\nB\n")

    first, again, elsewhere = (
        import_codes_from(path, reward),
        import_codes_from(path, reward),
        import_codes_from(path, other),
    )

    assert (first[0], again[0], elsewhere[0]) == ((2, 2, 0, 0), (0, 0, 0, 0), (2, 2, 0, 0))
    assert "This file was imported completely before" in again[1]
    assert import_codes_from(path, reward, "--restart")[0] == (2, 0, 2, 0)


def test_other_columns_are_ignored_and_lines_can_be_json_objects(make_reward, write_file):
    reward = make_reward()

    import_codes_from(write_file("1,A,x\n2,B,y\n", header="no,code,note\n"), reward)
    counts, _ = import_codes_from(write_file('{"code": "C"}\n{"code": 4}\n', "codes.ndjson", header=""), reward)

    assert values() == ["A", "B", "C"]
    assert counts == (2, 1, 0, 1)


def test_invalid_lines_are_reported_by_number_and_stop_nothing(make_reward, write_file):
    counts, err = import_codes_from(write_file("A\n,\n" + "x" * 256 + "\n" + '" "\nA\x07B\nB\n'), make_reward())

    assert counts == (6, 2, 0, 4)
    assert err.splitlines() == [
        "line 3: has 2 fields, and the header 1",
        "line 4: code: Must be 1 to 255 characters long.",
        "line 5: code: Must be 1 to 255 characters long.",
        "line 6: code: Must not contain control characters.",
    ]


def test_a_dry_run_reports_what_would_be_done(make_reward, write_file, nothing_written):
    reward, path = make_reward(codes=["A"]), write_file("A\nB\n")

    with nothing_written():
        counts, _ = import_codes_from(path, reward, "--dry-run")

    assert counts == (2, 1, 1, 0)
    assert import_codes_from(path, reward)[0] == (2, 1, 1, 0)


@pytest.mark.parametrize(
    ("reward", "slug", "header", "problem"),
    [
        ("nope", "acme", "code\n", "Reward not found: nope"),
        ("01a20030-16b8-773b-a1f2-79a6f16a65ee", "acme", "code\n", "Reward not found: 01a20030"),
        ("mug", "globex", "code\n", "Reward not found: mug"),
        ("mug", "nobody", "code\n", "Tenant not found: nobody"),
        ("mug", "acme", "A\n", "The first line lacks code; it must name the columns code."),
    ],
)
def test_an_error_is_reported_in_one_line(make_reward, other_tenant, write_file, reward, slug, header, problem):
    make_reward("Mug", code="mug")

    with pytest.raises(CommandError, match=problem.replace(".", r"\.")):
        import_codes_from(write_file("A\n", header=header), reward, tenant=slug)

    assert not RewardCode.objects.exists()


@pytest.mark.deployment
@pytest.mark.django_db(transaction=True)
def test_after_a_kill_it_continues_without_gap_or_repetition(write_file):
    tenant = create_tenant(slug="acme", name="Acme", now=timezone.now())
    reward = create_reward(
        tenant=tenant, data={"name": "Mug", "code": "mug", "reward_type": "coupon"}, now=timezone.now()
    )
    path = write_file("".join(f"CODE-{number}\n" for number in range(20_000)))
    database = connection.settings_dict
    address = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = os.environ | {"DATABASE_URL": f"postgres://{database['USER']}:{database['PASSWORD']}@{address}"}
    command = [
        sys.executable,
        "manage.py",
        "import_codes",
        path,
        "--tenant",
        "acme",
        "--reward",
        "mug",
        "--batch",
        "20",
    ]

    process = subprocess.Popen(
        command, cwd=django_settings.BASE_DIR, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while (FileImport.objects.values_list("line", flat=True).first() or 0) < 500:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    bookmark = FileImport.objects.get().line
    assert 500 <= bookmark < 20_000
    assert RewardCode.objects.count() == Reward.objects.get().free_codes == bookmark - 1

    counts, err = import_codes_from(path, reward)

    assert f"Continuing after line {bookmark}" in err
    assert counts == (20_001 - bookmark, 20_001 - bookmark, 0, 0)
    assert RewardCode.objects.count() == Reward.objects.get().free_codes == 20_000
