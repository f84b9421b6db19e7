"""Alerts that others send: whatever comes is alerts, or refused in words; nothing else breaks."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from metrics.ingest import alert_mapping, alert_webhooks, alertmanager, alerts
from metrics.ingest.alert_mapping import AlertMapping
from metrics.ingest.alerts import NotAlerts, Sent
from tests.make import AT

MAPPING = AlertMapping.model_validate({"alerts": "items", "name": "name", "state": "state", "labels": {"host": "host"}})
SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
ANY_JSON = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
TEXTS = st.dictionaries(st.text(max_size=10), st.text(max_size=10) | SCALAR, max_size=3)
TIME = st.sampled_from(["0001-01-01T00:00:00Z", "2026-11-20T12:00:00.985215257Z", "soon", ""]) | SCALAR
ALMOST = st.fixed_dictionaries(
    {},
    optional={
        "labels": TEXTS,
        "annotations": TEXTS,
        "startsAt": TIME,
        "endsAt": TIME,
        "status": SCALAR,
        "name": SCALAR,
        "state": SCALAR,
        "host": SCALAR,
        "values": ANY_JSON,
        "value": ANY_JSON,
    },
)


def check(body: bytes) -> None:
    """Have each form read `body`: what is taken has a name, labels and an order of its times."""
    for parse in (
        alertmanager.parse,
        alert_webhooks.parse,
        lambda body, now: alert_mapping.parse(MAPPING, body, now),
    ):
        sent = Sent()
        with suppress(NotAlerts):
            sent = parse(body, AT)
        for one in sent.alerts:
            assert one.labels
            assert all(one.labels.values())
            assert len(alerts.fingerprint(one.labels)) == 16


@given(st.binary())
def test_any_bytes(raw: bytes) -> None:
    check(raw)


@given(ANY_JSON)
def test_any_json(document: Any) -> None:
    check(json.dumps(document).encode())


@given(st.lists(ALMOST, max_size=3), st.sampled_from(["", "alerts", "items"]))
def test_anything_like_alerts(given: list[Any], around: str) -> None:
    check(json.dumps({around: given, "version": "4"} if around else given).encode())
