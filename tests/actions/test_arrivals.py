"""Everything late at once is one fault, and said once."""

import pytest
from structlog.testing import capture_logs

from metrics.actions import arrivals
from metrics.health import store as health
from metrics.health.store import Arriving
from metrics.models import Source
from metrics.sample import Sample
from metrics.series.write import write
from tests import make
from tests.make import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture
def source() -> Source:
    return make.source(every_s=10)


def came(source: Source | None, names: str, at: float, every_s: float | None = None) -> None:
    write([Sample(name, 1, {}, at, expected_every_s=every_s) for name in names], source, at)


def look(at: float) -> Arriving:
    arrivals.look(at)
    return health.arriving()[0]


def test_nothing_is_expected_yet() -> None:
    assert look(AT) == Arriving("collected", 0, 0, None, None)


def test_what_comes_in_time(source: Source) -> None:
    came(source, "abcd", AT)
    assert look(AT + 20) == Arriving("collected", 4, 0, AT, None)


def test_one_that_is_late_is_its_own_fault(source: Source) -> None:
    came(source, "abcd", AT)
    came(source, "abc", AT + 20)
    assert look(AT + 30) == Arriving("collected", 4, 1, AT + 20, None)


def test_all_that_are_late_are_one_fault_however_long_it_lasts(source: Source) -> None:
    came(source, "abcd", AT)
    for after in (30, 86_400):
        assert look(AT + after) == Arriving("collected", 4, 4, AT, AT)


def test_what_had_ended_before_is_not_missed(source: Source) -> None:
    came(source, "wxyz", AT - 600)
    came(source, "abcd", AT)
    assert look(AT + 5) == Arriving("collected", 4, 0, AT, None)
    assert look(AT + 30).stopped_at == AT


@pytest.mark.parametrize("by_token", [True, False])
def test_what_is_pushed_is_looked_at_apart(source: Source, by_token: bool) -> None:
    stream = Source.objects.create(kind="push", name="push: shop") if by_token else None
    came(source, "abcd", AT)
    came(stream, "klmn", AT - 60, every_s=10)
    came(stream, "o", AT)
    arrivals.look(AT + 1)
    collected, pushed = health.arriving()
    assert (collected.expected, collected.stopped_at, pushed.expected, pushed.stopped_at) == (4, None, 4, AT - 60)


def test_since_when_it_is_so_is_said_once(source: Source) -> None:
    """One in ten still comes, and another stops only later: the page is not to say another time each time."""
    came(source, "abcdefghi", AT)
    came(source, "j", AT + 20)
    came(source, "k", AT + 40)
    assert [look(AT + after).stopped_at for after in (45, 50, 60, 70)] == [AT + 20, AT + 20, AT + 20, AT + 20]
    came(source, "abcdefghijk", AT + 75)
    assert look(AT + 80).stopped_at is None
    assert look(AT + 120).stopped_at == AT + 75


@pytest.mark.parametrize("back", ["beat", "render", "collect", "database"])
def test_right_after_something_stood_still_its_samples_are_late_for_a_reason_that_was_named(
    source: Source, back: str
) -> None:
    came(source, "abcd", AT)
    for name in health.STEADY:
        health.record(name, AT, running_s=29 if name == back else 500)
    assert look(AT + 60) == Arriving("collected", 4, 4, AT, None)
    health.record(back, AT, running_s=30)
    assert look(AT + 70).stopped_at == AT


def test_a_source_that_is_off_is_not_expected(source: Source) -> None:
    came(source, "abcd", AT)
    Source.objects.update(enabled=False)
    assert look(AT + 600).expected == 0


def test_it_is_logged_once_and_so_is_its_end(source: Source) -> None:
    came(source, "abcd", AT)
    with capture_logs() as logs:
        for after in (0, 30, 40, 50):
            arrivals.look(AT + after)
        came(source, "abcd", AT + 55)
        arrivals.look(AT + 60)
        arrivals.look(AT + 65)
    assert [one["event"] for one in logs] == ["everything is late at once", "samples arrive again"]
