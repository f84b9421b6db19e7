"""The list of alerts: which it shows, by incident, in which order, and what it says of them."""

from typing import Any

import pytest
from pydantic import ValidationError

from metrics.series.read import Query
from metrics.widgets.alerts import Alerts, AlertsConfig, AlertsView
from metrics.widgets.bad_alert import BadAlert, made_up, on_series
from tests.widgets.make import AT, window

ALERTS = [
    made_up(1, "Disk full", "a", since=AT - 60),
    made_up(2, "Disk full", "b", since=AT - 30, who="ada", incident=9),
    made_up(3, "Site down", "shop", "critical", since=AT - 90, incident=9, team_names=("ops",)),
    made_up(4, "Old", "c", "info", since=AT - 7200, incident=None, value=None, state="nodata"),
]


def view(alerts: list[BadAlert] | None = None, **fields: Any) -> AlertsView:
    config = AlertsConfig.model_validate(fields)
    config.give(ALERTS if alerts is None else alerts)
    return Alerts().view(config, [], window())


def test_those_of_one_incident_are_one_row_and_the_worst_is_first() -> None:
    rows = [(row.name, row.severity, row.count, row.value, row.since, row.who, row.link) for row in view().rows]
    assert rows == [
        ("Site down: shop", "critical", 2, "", "90 s", "ada", "/incidents/9/"),
        ("Disk full: a", "warning", 1, "91.0\u202f%", "60 s", "", "/alerts/1/"),
        ("Old: c", "info", 1, "no data", "2 h", "", "/alerts/4/"),
    ]
    assert view().summary == "1 critical · 2 warning · 1 info · 3 not taken"
    assert view().incidents == "1 9"
    assert view().level.name == "critical"


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        ({"severity": "critical"}, ["Site down: shop"]),
        ({"team": "ops"}, ["Site down: shop"]),
        ({"matchers": 'host=~"a|b"', "severity": "warning"}, ["Disk full: a", "Disk full: b"]),
        ({"matchers": 'alertname="Old"'}, ["Old: c"]),
        ({"matchers": 'severity="info", host!="c"'}, []),
    ],
)
def test_it_shows_only_those_that_are_chosen(fields: dict[str, Any], ids: list[str]) -> None:
    assert sorted(row.name for row in view(**fields).rows) == ids


def test_all_is_well_and_what_does_not_fit_is_counted() -> None:
    assert (view([]).summary, view([]).rows, view([]).level.name) == ("All is well", (), "ok")
    assert (len(view(rows=1).rows), view(rows=1).more) == (1, 2)


def test_only_the_incidents_of_its_rows_count_as_seen() -> None:
    assert (view(rows=1).incidents, view(rows=2).incidents) == ("9", "1 9")


def test_what_is_no_matcher_is_refused() -> None:
    with pytest.raises(ValidationError, match="is no matcher such as"):
        AlertsConfig(matchers="host")


def test_without_knowing_the_alerts_it_does_not_say_that_all_is_well() -> None:
    assert AlertsConfig().freshness(AT).state == "nodata"
    known = AlertsConfig()
    known.give([])
    assert known.freshness(AT).state == "still"


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"host": "a"}, (1, "warning", "/alerts/1/", "1 alert here, warning: Disk full", "1")),
        (
            {"host": ["b", "shop"]},
            (2, "critical", "/incidents/9/", "2 alerts here, the worst critical: Disk full", "9"),
        ),
        ({}, (4, "critical", "/alerts/", "4 alerts here, the worst critical: Disk full", "1 9")),
        ({"host": "z"}, None),
    ],
)
def test_a_widget_says_which_alerts_are_on_its_series(labels: dict[str, Any], said: tuple[Any, ...] | None) -> None:
    found = on_series([Query("example", labels)], ALERTS)
    assert (found and (found.count, found.severity, found.link, found.text, found.incidents)) == said
    assert on_series([Query("other", labels)], ALERTS) is None
