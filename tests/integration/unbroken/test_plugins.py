"""Five lines of Python, dropped into the folder of a running system, as the README says."""

import time
from collections.abc import Callable

import httpx
import pytest

from tests.integration.bench import Bench

pytestmark = pytest.mark.integration

ORDERS = """
from watchfloor import metric

@metric("orders_open", every="1s", unit="orders")
def orders_open():
    return 42
"""


def eventually(what: Callable[[], object], expected: object) -> None:
    until = time.monotonic() + 30
    while (found := what()) != expected:
        assert time.monotonic() < until, found
        time.sleep(0.2)


def test_a_file_is_found_and_followed(bench: Bench) -> None:
    stack = bench.stack
    token = stack.manage("token", "reader", "--scope", "admin").strip()
    file = stack.data_dir / "plugins" / "orders.py"
    with httpx.Client(base_url=f"{stack.url}/api/v1", headers={"Authorization": f"Bearer {token}"}) as client:

        def values() -> list[float]:
            found = client.get("/series", params={"metric": "orders_open"}).json()["series"]
            return [one["value"] for one in found]

        def errors() -> list[str]:
            found = client.get("/sources").json()["sources"]
            return [one["last_error"] for one in found if one["kind"] == "plugin" and one["enabled"]]

        file.write_text(ORDERS)
        eventually(values, [42])
        file.write_text(ORDERS.replace("42", "43"))
        eventually(values, [43])
        file.write_text(ORDERS.replace("42", "1 / 0"))
        eventually(errors, ["ZeroDivisionError: division by zero (orders.py, line 6)"])
        file.unlink()
        eventually(errors, [])
