"""For how long dashboards have been on no wall, as series; and the rule that looks at these."""

from collections.abc import Mapping

import pytest

from metrics.access.principal import SYSTEM
from metrics.actions import evaluation, rules, walls
from metrics.live import watchers
from metrics.live.topic import Topic, variant
from metrics.live.watchers import ViewerStatus
from metrics.models import Alert, Dashboard, Series
from metrics.redis_state.connection import run as asked
from metrics.series import read
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules_at_once")]

AT = 1_795_176_000.0
MINUTE = float(walls.REPORT_EVERY_S)


def shown(at: float, *topics: Topic, wall: bool = True) -> None:
    """Have one web process show `topics` at a time, on a wall each, and report what is dark then."""
    viewers = [ViewerStatus("ada", str(topic), 1, 1, 0, 0, 0, 0, at, wall) for topic in topics]

    async def renew() -> None:
        await watchers.renew("web-1", topics, viewers, len(viewers), at)

    asked(renew())
    walls.report(at)


def dark(at: float) -> dict[str, float]:
    """Return for how long each dashboard is dark by the samples of a time."""
    ids = {one.pk: one.labels["dashboard"] for one in Series.objects.filter(metric=walls.METRIC)}
    newest = read.newest(dict.fromkeys(ids, round(at * 1000)), 1)
    return {ids[pk]: value for pk, ((at_ms, value), *_) in newest.items() if at_ms == at * 1000}


def test_a_dashboard_is_dark_since_it_was_on_a_wall_last_and_for_a_day() -> None:
    board, other = make.dashboard("lobby"), make.dashboard("office")
    shown(AT - MINUTE, variant(other.pk, "1h"), wall=False)
    assert dark(AT - MINUTE) == {}
    shown(AT, variant(board.pk, "1h"))
    assert dark(AT) == {"lobby": 0}
    shown(AT + MINUTE, variant(board.pk, "24h"))
    assert dark(AT + MINUTE)["lobby"] == 0
    for passed in (2, 3):
        shown(AT + passed * MINUTE)
    assert dark(AT + 3 * MINUTE)["lobby"] == 2 * MINUTE
    shown(AT + 63 * MINUTE)  # nobody looked for an hour
    assert dark(AT + 63 * MINUTE)["lobby"] == 2 * MINUTE
    shown(AT + 64 * MINUTE, variant(board.pk, "1h"))
    assert dark(AT + 64 * MINUTE)["lobby"] == 0
    shown(AT + 64 * MINUTE + walls.FOLLOWED_S)
    assert dark(AT + 64 * MINUTE + walls.FOLLOWED_S) == {}


@pytest.mark.parametrize(("passed_s", "dark_s"), [(MINUTE, MINUTE), (119, 119), (120, 0), (3600, 0)])
def test_time_in_which_nobody_could_look_does_not_count(passed_s: float, dark_s: float) -> None:
    shown(AT, variant(make.dashboard("lobby").pk, "1h"))
    shown(AT + passed_s)
    assert dark(AT + passed_s) == {"lobby": dark_s}


def test_dashboards_that_no_wall_shows_for_long_are_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    former, board = make.dashboard("former"), make.dashboard("lobby")
    shown(AT, variant(former.pk, "1h"))
    shown(AT + walls.FOLLOWED_S, variant(board.pk, "1h"))
    asked: list[str] = []

    def noted(until: Mapping[int, int], count: int) -> dict[int, list[tuple[int, float]]]:
        asked.extend(one.labels["dashboard"] for one in Series.objects.filter(pk__in=until))
        return {}

    monkeypatch.setattr(read, "newest", noted)
    shown(AT + walls.FOLLOWED_S + MINUTE)
    assert asked == ["lobby"]


def test_those_that_are_deleted_or_not_for_everyone_are_left_out() -> None:
    board, hidden = make.dashboard("lobby"), make.dashboard("secret")
    Dashboard.objects.filter(pk=hidden.pk).update(for_everyone=False)
    shown(AT, variant(board.pk, "1h"), variant(hidden.pk, "1h"))
    assert dark(AT) == {"lobby": 0}
    Dashboard.objects.filter(pk=board.pk).update(for_everyone=False)
    shown(AT + MINUTE)
    assert dark(AT + MINUTE) == {}


def test_a_rule_tells_of_it_and_that_it_is_over() -> None:
    board = make.dashboard("lobby")
    rules.create(SYSTEM, {"name": "Dark", "condition": {"kind": "dark", "after": "2m"}})
    states = []
    for passed, topics in enumerate([[variant(board.pk, "1h")], [], [], [variant(board.pk, "1h")]]):
        shown(AT + passed * MINUTE, *topics)
        evaluation.evaluate(AT + passed * MINUTE)
        states.append([(one.state, one.labels["dashboard"]) for one in Alert.objects.all()])
    assert states == [[], [], [("firing", "lobby")], [("ok", "lobby")]]
