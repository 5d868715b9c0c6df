"""The files in `deploy/`: they parse, agree with compose.yaml, and name only metrics that exist and runbooks that are written."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from django.test import Client

from participants.measuring import counted, stored
from participants.models import Tenant
from tests.deployment import ROOT, commands

DEPLOY = ROOT / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = DEPLOY / "grafana" / "gamify.json"
RUNBOOKS = ROOT / "docs" / "runbooks.md"
KUBERNETES = "1.36"
METRIC = re.compile(r"gamify_[a-z_]+")
SERVICES = {"gamify-web": "web", "gamify-worker": "worker", "gamify-deliveries": "deliveries", "gamify-beat": "beat"}


def alerts() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(ALERTS.read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in alerts())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])


def exported() -> set[str]:
    """The names that `/metrics` answers, also those without a value yet."""
    lines = Client().get("/metrics").content.decode().splitlines()
    declared = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    histograms = {f"{name}_bucket" for name in declared if f"# TYPE {name} histogram" in lines}
    return declared | histograms


# --- Prometheus and Grafana -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_alerts_and_dashboard_name_only_metrics_that_are_exported(tenant: Tenant) -> None:
    named = {name for expression in expressions() for name in METRIC.findall(expression)}

    assert len(named) > 20
    assert named - exported() == set()


@pytest.mark.django_db
def test_the_dashboard_shows_every_number_that_is_counted() -> None:
    shown = {name for panel in panels() for target in panel["targets"] for name in METRIC.findall(target["expr"])}
    families = [family.name for registry in (counted, stored) for family in registry.collect()]

    hidden = {name for name in families if not any(each.startswith(name) for each in shown)}
    assert hidden <= {
        "gamify_audit_rows",
        "gamify_periodic_task_last_start_timestamp_seconds",
        "gamify_periodic_task_last_unfinished",
        "gamify_periodic_task_late",
        "gamify_periodic_task_failures",
    }


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    written = re.findall(r"^## (\w+)$", RUNBOOKS.read_text(), re.MULTILINE)

    assert written == [rule["alert"] for rule in alerts()]
    for rule in alerts():
        assert rule["annotations"]["runbook_url"] == f"docs/runbooks.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"warning", "critical"}


def test_promtool_accepts_the_rules_and_they_fire_when_they_should() -> None:
    promtool = program("promtool", "apt-get install prometheus")

    for command in (["check", "config", "prometheus.yml"], ["test", "rules", "alerts_test.yml"]):
        ran = subprocess.run([promtool, *command], cwd=ALERTS.parent, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def program(name: str, how: str) -> str:
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed: {how}")
    return found


def test_panels_do_not_overlap_and_have_units() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels()]

    assert len(set(places)) == len(places)
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in panels())


# --- systemd --------------------------------------------------------------------------------------------------------


def start_command(unit: Path) -> list[str]:
    [line] = re.findall(r"^ExecStart=/opt/gamify/\.venv/bin/(.*)$", unit.read_text(), re.MULTILINE)
    return shlex.split(line)


def test_systemd_starts_what_compose_starts() -> None:
    started = {unit.stem: start_command(unit) for unit in (DEPLOY / "systemd").glob("*.service")}

    assert started == {
        **{unit: commands()[name] for unit, name in SERVICES.items()},
        "gamify-migrate": commands()["migrate"],
    }


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    analyze = program("systemd-analyze", "it is part of systemd")
    for unit in (DEPLOY / "systemd").glob("*.service"):
        text = re.sub(r"/opt/gamify/\.venv/bin/\w+", "/bin/true", unit.read_text())
        (tmp_path / unit.name).write_text(text)

    files = sorted(map(str, tmp_path.glob("*.service")))
    ran = subprocess.run([analyze, "verify", *files], capture_output=True, text=True, check=False)
    assert [line for line in ran.stderr.splitlines() if "gamify-" in line] == []


# --- Kubernetes -----------------------------------------------------------------------------------------------------


def manifests() -> list[dict[str, Any]]:
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    return [each for name in listed for each in yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text())]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for manifest in manifests():
        if manifest["kind"] in {"Deployment", "Job"}:
            yield manifest["metadata"]["name"], manifest["spec"]["template"]["spec"]


def test_every_file_of_kubernetes_is_listed() -> None:
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]

    assert {path.name for path in (DEPLOY / "kubernetes").iterdir()} == {*listed, "kustomization.yaml"}


@pytest.mark.parametrize("manifest", manifests(), ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
def test_the_schema_of_kubernetes_accepts_the_manifest(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_the_schema_refuses_a_misspelled_field() -> None:
    [web] = [each for each in manifests() if each["metadata"]["name"] == "gamify-web" and each["kind"] == "Deployment"]
    web["spec"]["replica"] = web["spec"].pop("replicas")

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(web, KUBERNETES, strict=True)


def test_kubernetes_starts_what_compose_starts_without_privileges() -> None:
    started = {}
    for name, pod in pods():
        [container] = pod["containers"]
        started[name] = container["command"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]

    assert started == {
        **{unit: commands()[name] for unit, name in SERVICES.items()},
        "gamify-migrate": commands()["migrate"],
    }


def test_only_the_migration_knows_the_owner_of_the_database() -> None:
    secrets = {
        name: [source["secretRef"]["name"] for source in pod["containers"][0]["envFrom"] if "secretRef" in source]
        for name, pod in pods()
    }

    assert {name for name, known in secrets.items() if "gamify-owner" in known} == {"gamify-migrate"}
