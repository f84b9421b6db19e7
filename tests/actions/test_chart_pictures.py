"""Pictures of charts: of what a rule looks at, around the time when it fired."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from django.template.loader import render_to_string

from metrics.access.principal import SYSTEM, of_user
from metrics.actions import alert_charts, chart_pictures, rule_index, rules
from metrics.alerts.matchers import parse, to_json
from metrics.models import Annotation, Maintenance, MaintenanceSpan, Rule, Team
from metrics.notify.message import Chart, Message
from metrics.notify.sending import picture
from metrics.notify.sending.picture import NoPicture
from metrics.times import datetime_of
from metrics.widgets.render import WidgetView
from tests import make
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture(autouse=True)
def _none_is_kept() -> None:
    chart_pictures._picture.cache_clear()


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
    of = rule()
    assert chart_pictures.with_picture(message(of, host)).picture is None
    assert chart_pictures.with_picture(message(of + 1000)).picture is None
    assert chart_pictures.with_picture(message(of, picture=b"there")).picture == b"there"


def test_charts_without_a_dashboard_show_what_their_readers_may_see(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of rules, as Explore, show what the person sees; pictures and rooms what the teams of the rule see."""
    drawn: list[str] = []
    monkeypatch.setattr(picture, "png", lambda drawing: drawn.append(drawing))
    ops, shop = make.team("ops"), make.team("shop")
    row = Rule.objects.get(pk=rule())
    row.teams.add(ops)
    for text, teams in (("For all", []), ("For ops", [ops]), ("For shop", [shop])):
        happened(text, teams)
    chart_pictures.with_picture(message(row.pk))
    spec = rule_index.readable(row)
    assert spec
    member = of_user(make.user("sam"))
    pages = {
        "ops": drawn[0],
        "shop": html(alert_charts.chart_for(replace(member, teams=frozenset({shop.pk})), spec, {}, "1h", AT)),
        "nobody": html(alert_charts.chart_for(member, spec, {}, "1h", AT)),
        "everybody": html(alert_charts.chart_for(SYSTEM, spec, {}, "1h", AT)),
        "room": html(alert_charts.chart_of(row, spec, {}, "1h", AT)),
    }
    seen = {"ops": ["ops"], "shop": ["shop"], "nobody": [], "everybody": ["ops", "shop"], "room": ["ops"]}
    for reader, page in pages.items():
        for text in ("all", "ops", "shop"):
            is_seen = text == "all" or text in seen[reader]
            assert (f"11:55, For {text}" in page, f"Works for {text}" in page) == (is_seen, is_seen), (reader, text)


def happened(text: str, teams: Sequence[Team]) -> None:
    """Make an annotation, and maintenance of the disks, for everyone or for `teams`."""
    noted = Annotation.objects.create(text=text, at=datetime_of(AT - 300), for_everyone=not teams)
    comment = text.replace("For", "Works for")
    given = to_json(parse("metric=disk_used"))
    works = Maintenance.objects.create(matchers=given, by="ada", comment=comment, for_everyone=not teams)
    MaintenanceSpan.objects.create(maintenance=works, starts_at=datetime_of(AT - 400), ends_at=datetime_of(AT - 200))
    noted.teams.set(teams)
    works.teams.set(teams)


def html(shown: WidgetView) -> str:
    return render_to_string("widgets/widget.html", {"widget": shown})
