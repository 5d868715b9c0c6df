"""The command that brings in codes, however many."""

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
def written(tmp_path):
    """`written("A\\nB\\n")` is the path of a file that says so under a header."""

    def write(lines, name="codes.csv", header="code\n"):
        path = tmp_path / name
        path.write_bytes((header + lines).encode())
        return str(path)

    return write


def bring_in(path, reward, *options, tenant="acme"):
    out, err = io.StringIO(), io.StringIO()
    name = getattr(reward, "code", reward)
    call_command("import_codes", path, "--tenant", tenant, "--reward", name, "--json", *options, stdout=out, stderr=err)
    report = json.loads(out.getvalue())
    return tuple(report[name] for name in ("lines", "recorded", "repeated", "bad")), err.getvalue()


def values():
    return list(RewardCode.objects.order_by("pk").values_list("value", flat=True))


def test_codes_go_into_stock_in_their_order_batch_by_batch(api, offered, written):
    reward = offered(codes=["A"])

    told, _ = bring_in(written("Z\nA\n B \nZ\nC\n"), reward, "--batch", "2")

    assert told == (5, 3, 2, 0)
    assert values() == ["A", "Z", "B", "C"]
    assert Reward.objects.get().free_codes == 4
    assert claim(api, reward).json()["code_value"] == "A"


def test_the_reward_may_be_named_by_its_id(offered, written):
    reward = offered()

    bring_in(written("A\n"), str(reward.pk))

    assert values() == ["A"]


def test_a_second_run_does_nothing_and_another_reward_is_another_matter(offered, written):
    reward, other, path = offered(), offered("Other"), written("A\nB\n")

    first, again, elsewhere = bring_in(path, reward), bring_in(path, reward), bring_in(path, other)

    assert (first[0], again[0], elsewhere[0]) == ((2, 2, 0, 0), (0, 0, 0, 0), (2, 2, 0, 0))
    assert "This file was imported completely before" in again[1]
    assert bring_in(path, reward, "--restart")[0] == (2, 0, 2, 0)


def test_other_columns_are_passed_over_and_lines_may_be_objects(offered, written):
    reward = offered()

    bring_in(written("1,A,x\n2,B,y\n", header="no,code,note\n"), reward)
    told, _ = bring_in(written('{"code": "C"}\n{"code": 4}\n', "codes.ndjson", header=""), reward)

    assert values() == ["A", "B", "C"]
    assert told == (2, 1, 0, 1)


def test_bad_lines_are_told_by_number_and_stop_nothing(offered, written):
    told, err = bring_in(written("A\n,\n" + "x" * 256 + "\n" + '" "\nA\x07B\nB\n'), offered())

    assert told == (6, 2, 0, 4)
    assert err.splitlines() == [
        "line 3: has 2 fields, and the header 1",
        "line 4: code: Must be 1 to 255 characters long.",
        "line 5: code: Must be 1 to 255 characters long.",
        "line 6: code: Must not contain control characters.",
    ]


def test_a_dry_run_says_what_would_be_done(offered, written, nothing_written):
    reward, path = offered(codes=["A"]), written("A\nB\n")

    with nothing_written():
        told, _ = bring_in(path, reward, "--dry-run")

    assert told == (2, 1, 1, 0)
    assert bring_in(path, reward)[0] == (2, 1, 1, 0)


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
def test_what_cannot_be_done_is_said_in_a_line(offered, other_tenant, written, reward, slug, header, problem):
    offered("Mug", code="mug")

    with pytest.raises(CommandError, match=problem.replace(".", r"\.")):
        bring_in(written("A\n", header=header), reward, tenant=slug)

    assert not RewardCode.objects.exists()


@pytest.mark.deployment
@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_it_goes_on_without_a_gap_and_without_a_repetition(written):
    tenant = create_tenant(slug="acme", name="Acme", now=timezone.now())
    reward = create_reward(
        tenant=tenant, data={"name": "Mug", "code": "mug", "reward_type": "coupon"}, now=timezone.now()
    )
    path = written("".join(f"CODE-{number}\n" for number in range(20_000)))
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
    begun = FileImport.objects.get().line
    assert 500 <= begun < 20_000
    assert RewardCode.objects.count() == Reward.objects.get().free_codes == begun - 1

    told, err = bring_in(path, reward)

    assert f"Continuing after line {begun}" in err
    assert told == (20_001 - begun, 20_001 - begun, 0, 0)
    assert RewardCode.objects.count() == Reward.objects.get().free_codes == 20_000
