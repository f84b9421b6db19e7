"""The whole system as `make run` starts it, as a program that measures it sees it."""

import http.client
import json
import re
from typing import Any

from benchmarks.common import QUIET, Usage, usage
from tests.integration.stack import Stack

RANGE = "1h"


class System(Stack):
    """A running system with a token that may do everything."""

    def __init__(self, **env: str) -> None:
        super().__init__(None, **QUIET, **env)
        self.token = ""

    def wait_until_ready(self) -> None:
        super().wait_until_ready()
        self.token = self.token or self.manage("token", "benchmark", "--scope", "admin").strip()

    def post(self, path: str, body: dict[str, Any], method: str = "POST") -> dict[str, Any]:
        """Send `body` as a program would that runs once: on a connection of its own. Raises AssertionError."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body), headers)
            response = connection.getresponse()
            answer = response.read()
            assert response.status in (200, 201, 202), answer
            found: dict[str, Any] = json.loads(answer)
            return found
        finally:
            connection.close()

    def push(self, values: dict[str, float]) -> None:
        """Push a sample of each metric."""
        self.post("/api/v1/samples", {"samples": [{"metric": name, "value": value} for name, value in values.items()]})

    def make_dashboard(self, slug: str, widgets: list[dict[str, Any]]) -> None:
        self.post("/api/v1/dashboards", {"slug": slug, "title": slug, "range": RANGE, "widgets": widgets})

    def socket_path(self, slug: str) -> str:
        return f"/ws/dashboards/{slug}/?range={RANGE}"

    def usage_of(self, name: str) -> Usage:
        """Return what one of the system's processes uses, by its name in the Procfile."""
        return usage(self.pid_of(name))

    def own_metric(self, name: str) -> float:
        """Return one of the system's own metrics."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0


def widgets(count: int) -> list[dict[str, Any]]:
    """Return `count` widgets of four kinds, each with a metric of its own, `pushed_0` and so on."""
    kinds = ("number", "line", "bars", "status")
    return [
        {"kind": kinds[index % 4], "title": f"Widget {index}", "config": {"queries": [{"metric": f"pushed_{index}"}]}}
        for index in range(count)
    ]
