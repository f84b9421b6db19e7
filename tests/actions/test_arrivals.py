"""Everything late at once is one fault, and said once."""

import pytest
from structlog.testing import capture_logs

from metrics.actions import arrivals
from metrics.live import health
from metrics.live.health import Arriving
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
    assert look(AT) == Arriving("collected", 0, 0, False, None)


def test_what_comes_in_time(source: Source) -> None:
    came(source, "abcd", AT)
    assert look(AT + 20) == Arriving("collected", 4, 0, False, AT)


def test_one_that_is_late_is_its_own_fault(source: Source) -> None:
    came(source, "abcd", AT)
    came(source, "abc", AT + 20)
    assert look(AT + 30) == Arriving("collected", 4, 1, False, AT + 20)


def test_all_that_are_late_are_one_fault_however_long_it_lasts(source: Source) -> None:
    came(source, "abcd", AT)
    for after in (30, 86_400):
        assert look(AT + after) == Arriving("collected", 4, 4, True, AT)


def test_what_had_ended_before_is_not_missed(source: Source) -> None:
    came(source, "wxyz", AT - 600)
    came(source, "abcd", AT)
    assert look(AT + 5) == Arriving("collected", 4, 0, False, AT)
    assert look(AT + 30).stopped


def test_what_is_pushed_is_looked_at_apart(source: Source) -> None:
    came(source, "abcd", AT)
    came(None, "klmn", AT - 60, every_s=10)
    came(None, "o", AT)
    arrivals.look(AT + 1)
    collected, pushed = health.arriving()
    assert (collected.stopped, pushed.stopped) == (False, True)


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
