"""Processes are killed while alerts fire: each change is announced once, and channels are told of it once.

A web server, a target of apprise and a mail server count what arrives.

`MOMENTS=50` tries more moments than the usual run.
"""

import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.integration.bench import Bench
from tests.notify.receivers import Hook, Letters, hook, letters

pytestmark = pytest.mark.integration

MOMENTS = int(os.environ.get("MOMENTS", "4"))
MENDED_S = 60.0
LINES = 150
DUMP = """
import json, re
from metrics.models import Alert, Delivery, Incident, Notification, Transition
alerts = {str(one.pk): one for one in Alert.objects.filter(rule__name=rule)}
moves = Transition.objects.filter(noun="alert", thing__in=alerts)
# In the order of the way that a message goes: what is not yet counted at one place is still counted at a later one.
print("DUMP", json.dumps({
    "fired": sorted(alerts[one.thing].series["host"] for one in moves if one.after == "firing"),
    "ended": sorted(alerts[one.thing].series["host"] for one in moves if one.after == "ok"),
    "waiting": moves.filter(processed_at=None).count(),
    "untold": Incident.objects.exclude(untold_since=None).count(),
    "open": [
        {**one, "next_at": str(one["next_at"]), "claimed_until": str(one["claimed_until"])}
        for one in Delivery.objects.filter(state__in=Delivery.OPEN).order_by("pk").values(
            "channel__name", "key", "state", "attempts", "next_at", "claimed_until", "error"
        )
    ],
    "sent": {
        kind: Delivery.objects.filter(channel__name=rule + " " + kind, state="sent").count()
        for kind in ("webhook", "apprise", "mail")
    },
    "failed": Delivery.objects.filter(channel__name__startswith=rule, state="failed").count(),
    "told": sorted(
        alerts[one.split(":")[1]].series["host"]
        for one in Notification.objects.filter(user__username="admin").values_list("key", flat=True)
        if one.startswith("alert:") and one.split(":")[1] in alerts and ":firing:" in one
    ),
    "together": sum(
        int(found[1])
        for text in Notification.objects.filter(user__username="admin").values_list("text", flat=True)
        if text.startswith(rule) and (found := re.search(r"(\\d+) alerts? began", text))
    ),
}))
"""


def ask(bench: Bench, method: str, path: str, token: str, body: Any = None) -> Any:
    """Ask as often as a program would that retries."""
    until = time.monotonic() + MENDED_S
    while True:
        try:
            headers = {"Authorization": f"Bearer {token}"}
            answer = httpx.request(method, f"{bench.stack.url}/api/v1/{path}", json=body, headers=headers, timeout=60)
            if answer.status_code < 500:
                answer.raise_for_status()
                return answer.json() if answer.content else None
        except httpx.TransportError:
            pass
        assert time.monotonic() < until, f"{path} does not answer"
        time.sleep(0.1)


def push(bench: Bench, metric: str, hosts: list[str], value: float) -> None:
    samples = [{"metric": metric, "value": value, "labels": {"host": host}} for host in hosts]
    ask(bench, "POST", "samples", bench.push_token, {"samples": samples})


def state_of(bench: Bench, name: str) -> dict[str, Any]:
    said = bench.stack.manage("shell", "-v0", "-c", f"rule = {name!r}\n{DUMP}")
    found: dict[str, Any] = json.loads(said[said.rindex("DUMP ") + 5 :].splitlines()[0])
    return found


def in_full(bench: Bench, found: dict[str, Any]) -> str:
    """Return how all stands, and what the system printed last, as a text that pytest does not shorten."""
    printed = bench.stack.output().splitlines()[-LINES:]
    return "\n".join([json.dumps(found, indent=1), *printed])


def wait_until_quiet(bench: Bench, name: str, ended: list[str]) -> dict[str, Any]:
    """Return how all stands once everything that happened was told."""
    until = time.monotonic() + 2 * MENDED_S
    while True:
        found = state_of(bench, name)
        if found["ended"] == ended and not (found["waiting"] or found["open"] or found["untold"]):
            return found
        assert time.monotonic() < until, in_full(bench, found)
        time.sleep(0.5)


@dataclass
class Outside:
    """A web server, a target of apprise, and a mail server, each behind a channel of its own."""

    webhook: Hook
    apprise: Hook
    mail: Letters

    def arrived(self) -> dict[str, int]:
        """Return how many messages came through each channel."""
        return {"webhook": len(self.webhook.got), "apprise": len(self.apprise.got), "mail": len(self.mail.got)}

    def ids(self) -> list[str]:
        """Return the ids of what came; apprise gives none."""
        return [headers["webhook-id"] for _, headers, _ in self.webhook.got] + [
            mail["Message-ID"] for mail in self.mail.got
        ]


@contextmanager
def outside(bench: Bench, name: str, token: str) -> Iterator[Outside]:
    """Have channels to receivers of ours meanwhile."""
    with hook() as webhook, hook() as apprise, letters() as mail:
        configs: dict[str, dict[str, Any]] = {
            "webhook": {"url": webhook.url, "secret": "correct horse battery"},
            "apprise": {"url": apprise.url.replace("http://", "json://")},
            "mail": {"to": ["ops@example.com"], "host": "127.0.0.1", "port": mail.port, "security": "none"},
        }
        made = [
            ask(bench, "POST", "channels", token, {"kind": kind, "name": f"{name} {kind}", "config": config})
            for kind, config in configs.items()
        ]
        yield Outside(webhook, apprise, mail)
        for channel in made:
            ask(bench, "DELETE", f"channels/{channel['id']}", token)


def wait_until_told(bench: Bench, name: str, receivers: Outside) -> None:
    """Return once the first message came: an incident that is over before is never told of."""
    until = time.monotonic() + 2 * MENDED_S
    while not receivers.webhook.got:
        assert time.monotonic() < until, in_full(bench, state_of(bench, name))
        time.sleep(0.1)


def conversations(messages: list[dict[str, Any]], state: str) -> set[str]:
    return {one["conversation"] for one in messages if one["state"] == state}


@pytest.mark.timeout(180 + 30 * MOMENTS)
@pytest.mark.parametrize("victims", [("render", "web"), ("redis", "web")])
def test_each_change_is_announced_once_whatever_is_killed(bench: Bench, victims: tuple[str, ...]) -> None:
    """Not both in one test: a message that was answered while both died is told again, with the same id."""
    dice = random.Random(1)
    token = bench.stack.manage("token", f"killing {victims[0]}", "--scope", "admin").strip()
    condition = {"kind": "threshold", "above": 90}
    name, metric = f"Turbine {victims[0]}", f"turbine_{victims[0]}"
    rule = ask(bench, "POST", "rules", token, {"name": name, "query": {"metric": metric}, "condition": condition})
    hosts = [f"{victims[0]}{moment:02}" for moment in range(MOMENTS)]
    with outside(bench, name, token) as receivers:
        for moment, host in enumerate(hosts):
            push(bench, metric, [host], 97)
            time.sleep(dice.random())
            victim = victims[moment % len(victims)]
            killed = bench.stack.kill(victim)
            until = time.monotonic() + MENDED_S
            while not bench.stack.is_back(victim, killed):
                assert time.monotonic() < until, f"{victim} does not come back"
                time.sleep(0.05)
        wait_until_told(bench, name, receivers)
        push(bench, metric, hosts, 10)
        found = wait_until_quiet(bench, name, hosts)
    ask(bench, "DELETE", f"rules/{rule['id']}", token)
    assert found["fired"] == hosts
    assert len(set(found["told"])) == len(found["told"])
    assert len(found["told"]) + found["together"] == len(hosts)  # of more than three at once, how many they are
    assert found["failed"] == 0
    assert receivers.arrived() == found["sent"], "a channel that answered was told twice, or not at all"
    ids = receivers.ids()
    assert len(ids) == len(set(ids))
    messages = [json.loads(body) for _, _, body in receivers.webhook.got]
    assert conversations(messages, "firing") == conversations(messages, "resolved") != set()
    told = [mail["Subject"].partition(":")[0].partition(" ")[0] for mail in receivers.mail.got]
    assert told.count("Firing") == len([one for one in messages if one["state"] == "firing"])
