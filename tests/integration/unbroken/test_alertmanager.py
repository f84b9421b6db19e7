"""A real Prometheus, a real Alertmanager and amtool send alerts here, and amtool works as with an Alertmanager."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import debian
from tests.integration.bench import HELD_UP_S, Bench
from tests.integration.stack import free_port
from tests.prometheus import prometheus, running, wait_for

pytestmark = pytest.mark.integration

RULES = """
groups:
  - name: demo
    interval: 1s
    rules:
      - alert: FromPrometheus
        expr: up
        labels: {{severity: page}}
        annotations: {{summary: "{{{{ $labels.job }}}} is up"}}
"""
SENDS = """
rule_files: ["{rules}"]
alerting:
  alertmanagers:
    - path_prefix: /alertmanager
      authorization: {{credentials: "{token}"}}
      static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
WEBHOOK = """
route: {{receiver: watchfloor, group_wait: 0s}}
receivers:
  - name: watchfloor
    webhook_configs:
      - url: {url}/api/v1/alerts
        http_config: {{authorization: {{credentials: "{token}"}}}}
"""


def needed(name: str, package: str = "") -> str:
    try:
        return debian.program(name, package)
    except debian.NoProgramError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def token(bench: Bench) -> str:
    return bench.stack.manage("token", "amtool", "--scope", "admin").strip()


def wait_until_listed(
    bench: Bench, token: str, name: str, is_there: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Return the alert of that name, which is as it should be soon."""
    until = time.monotonic() + HELD_UP_S * 6
    found: list[dict[str, Any]] = []
    while time.monotonic() < until:
        listed = httpx.get(f"{bench.stack.url}/api/v2/alerts", headers={"Authorization": f"Bearer {token}"}, timeout=30)
        found = [one for one in listed.json() if one["labels"].get("alertname") == name]
        if found and is_there(found[0]):
            return found[0]
        time.sleep(0.2)
    raise AssertionError(f"{name} is not as it should be: {found}")


def test_prometheus_sends_its_alerts(bench: Bench, token: str, tmp_path: Path) -> None:
    needed("prometheus")
    rules = tmp_path / "rules.yml"
    rules.write_text(RULES.format())
    with prometheus(SENDS.format(rules=rules, token=bench.push_token, port=bench.stack.port)):
        alert = wait_until_listed(bench, token, "FromPrometheus", lambda one: True)
    assert alert["annotations"] == {"summary": "prometheus is up"}
    assert alert["labels"]["severity"] == "page"
    (ours,) = [
        one
        for one in httpx.get(
            f"{bench.stack.url}/api/v1/alerts", headers={"Authorization": f"Bearer {token}"}, timeout=30
        ).json()["alerts"]
        if one["rule"] == "FromPrometheus"
    ]
    assert (ours["state"], ours["severity"]) == ("firing", "critical")


class Amtool:
    """amtool, which asks the Alertmanager at `url`."""

    def __init__(self, url: str, folder: Path, token: str = "") -> None:
        self.command = [needed("amtool", "prometheus-alertmanager"), f"--alertmanager.url={url}"]
        if token:
            config = folder / "http.yml"
            config.write_text(json.dumps({"authorization": {"type": "Bearer", "credentials": token}}))
            self.command.append(f"--http.config.file={config}")

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run([*self.command, *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout


def test_amtool_works(bench: Bench, token: str, tmp_path: Path) -> None:
    amtool = Amtool(f"{bench.stack.url}/alertmanager", tmp_path, token)
    amtool("alert", "add", "FromAmtool", "node=a", "severity=critical", "--annotation=summary=full")
    assert "FromAmtool" in amtool("alert", "query", "node=a")
    assert "FromAmtool" in amtool("alert", "query", "-o", "extended", "alertname=~From.*tool")
    assert "FromAmtool" not in amtool("alert", "query", "node=b")
    id = amtool("silence", "add", "FromAmtool", "node=~a|b", "-c", "on it", "-a", "me").strip()
    assert id in amtool("silence", "query", "FromAmtool")
    assert "FromAmtool" not in amtool("alert", "query", "node=a")
    assert "FromAmtool" in amtool("alert", "query", "-s", "node=a")
    assert id in amtool("silence", "update", "-d", "5h", "-c", "longer", id)
    assert "longer" in amtool("silence", "query", "-o", "extended")
    amtool("silence", "expire", id)
    assert id not in amtool("silence", "query", "-q")
    assert "everyone" in amtool("config", "show")
    assert "disabled" in amtool("cluster", "show")


def test_amtool_works_with_labels_in_utf_8(bench: Bench, token: str, tmp_path: Path) -> None:
    """The names of labels, too: an amtool that can't ask for these shows them, and keeps what it does not change."""
    amtool = Amtool(f"{bench.stack.url}/alertmanager", tmp_path, token)
    labels = {"alertname": "FromUtf8", "host.name": "käse-1", "größe": "groß ☃"}
    with httpx.Client(base_url=bench.stack.url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        client.post("/api/v2/alerts", json=[{"labels": labels}]).raise_for_status()
        assert "käse-1" in amtool("alert", "query", "-o", "extended", "FromUtf8")
        matchers = [{"name": "host.name", "value": "käse-.*", "isRegex": True, "isEqual": True}]
        times = {"startsAt": "2026-01-01T00:00:00Z", "endsAt": "2999-01-01T00:00:00Z"}
        silence = {"matchers": matchers, "createdBy": "me", "comment": "Käse", **times}
        id = client.post("/api/v2/silences", json=silence).raise_for_status().json()["silenceID"]
        assert "FromUtf8" not in amtool("alert", "query")
        (listed,) = json.loads(amtool("alert", "query", "-s", "-o", "json", "FromUtf8"))
        assert (listed["labels"], listed["status"]["silencedBy"]) == (labels, [id])
        assert id in amtool("silence", "update", "-d", "5h", "-c", "länger", id)
        assert "host.name=~" in amtool("silence", "query", "-o", "extended").replace('"', "")
        amtool("silence", "expire", id)
        id = amtool("silence", "add", "alertname=FromUtf8", "instance!=käse ☃", "-c", "größer", "-a", "me").strip()
        assert "käse ☃" in amtool("silence", "query", "-o", "json", "instance=käse ☃")
        assert "FromUtf8" not in amtool("alert", "query")
        amtool("silence", "expire", id)


def test_an_alertmanager_sends_its_webhook(bench: Bench, token: str, tmp_path: Path) -> None:
    port, config = free_port(), tmp_path / "alertmanager.yml"
    config.write_text(WEBHOOK.format(url=bench.stack.url, token=bench.push_token))
    command = [
        needed("prometheus-alertmanager"),
        f"--config.file={config}",
        f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    url = f"http://127.0.0.1:{port}"
    with running(command, tmp_path / "log"):
        wait_for(f"{url}/-/ready", "OK", tmp_path / "log")
        Amtool(url, tmp_path)("alert", "add", "FromWebhook", "node=a", "--annotation=summary=full")
        alert = wait_until_listed(bench, token, "FromWebhook", lambda one: True)
    assert alert["annotations"] == {"summary": "full"}
