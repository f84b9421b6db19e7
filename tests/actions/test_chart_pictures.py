"""Pictures of charts: of what a rule looks at, around the time when it fired."""

import pytest

from metrics.access.principal import SYSTEM
from metrics.actions import chart_pictures, rules
from metrics.notify.message import Chart, Message
from metrics.notify.sending import picture
from metrics.notify.sending.picture import NoPicture
from tests import make
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def message(rule: int, host: str = "web-1", **fields: object) -> Message:
    chart = Chart(rule, {"host": host}, AT, AT - 600)
    return Message(subject="Disk full", state="firing", key="1", at=AT, chart=chart, **fields)  # type: ignore[arg-type]


def rule() -> int:
    make.stored("disk_used", {before * 60.0: 50.0 + before for before in range(40)}, host="web-1")
    condition = {"kind": "threshold", "above": 90}
    return rules.create(SYSTEM, {"name": "Disk full", "query": {"metric": "disk_used"}, "condition": condition}).pk


def test_a_message_gets_the_chart_of_its_series_once_for_all_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    of = rule()
    made = chart_pictures.with_picture(message(of)).picture
    assert made is not None
    assert made[16:24] == (1280).to_bytes(4, "big") + (560).to_bytes(4, "big")
    monkeypatch.setattr(picture, "png", lambda drawing: b"another")
    assert chart_pictures.with_picture(message(of)).picture == made


@pytest.mark.parametrize("host", ["web-1", "web-2"])
def test_without_a_rule_or_samples_or_time_there_is_none(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(drawing: str) -> bytes:
        raise NoPicture("It took longer than 8 s.")

    monkeypatch.setattr(picture, "png", slow)
    chart_pictures._picture.cache_clear()
    of = rule()
    assert chart_pictures.with_picture(message(of, host)).picture is None
    assert chart_pictures.with_picture(message(of + 1000)).picture is None
    assert chart_pictures.with_picture(message(of, picture=b"there")).picture == b"there"
