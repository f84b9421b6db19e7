"""Open pages get what changed: once, by one worker at a time, and never lost."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import pytest
import redis.exceptions
from django.db import connection

from metrics.access.principal import SYSTEM
from metrics.actions import dashboards
from metrics.actions import render as actions
from metrics.live import bus, marks, snapshot, waiting
from metrics.live.topic import DASHBOARD, Topic
from metrics.models import Dashboard, Widget
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

Draws = Callable[[Callable[[Widget], str]], None]


@pytest.fixture
def draws(monkeypatch: pytest.MonkeyPatch) -> Draws:
    """Replace the drawing of a widget."""

    def decide(draw: Callable[[Widget], str]) -> None:
        monkeypatch.setitem(
            actions.FORMS, DASHBOARD, lambda widgets, views: {widget.key: draw(widget) for widget in widgets}
        )

    return decide


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The requests sent to workers: there are none here who would take them from the queue."""
    sent: list[list[str]] = []
    monkeypatch.setattr("celery.app.base.Celery.send_task", lambda self, name, **_: sent.append([name]))
    return sent


def version() -> int:
    return snapshot.version(make.variant())[1]


class TestRender:
    def test_marked_widgets_are_drawn_and_the_marks_taken_back(self, draws: Draws) -> None:
        one, _ = make.widgets_of(make.dashboard(widgets=[make.widget("a"), make.widget("b")]))
        drawn: list[str] = []
        draws(lambda widget: drawn.append(widget.key) or "x")  # type: ignore[func-returns-value]
        marks.mark(make.variant(), [one.key])
        assert actions.render(make.variant()) == 1
        assert drawn == [one.key]
        assert not marks.is_marked(make.variant())
        assert actions.render(make.variant()) == 0
        assert version() == 1

    def test_all_means_all(self) -> None:
        make.dashboard(widgets=[make.widget("a"), make.widget("b")])
        marks.mark(make.variant(), [marks.ALL])
        assert actions.render(make.variant()) == 2

    def test_what_looks_the_same_is_no_new_version(self, draws: Draws) -> None:
        make.dashboard()
        draws(lambda widget: "the same")
        for _ in range(3):
            marks.mark(make.variant(), [marks.ALL])
            actions.render(make.variant())
        assert version() == 1

    def test_an_edit_of_the_dashboard_is_a_new_version_even_so(self, draws: Draws) -> None:
        made = make.dashboard()
        draws(lambda widget: "the same")
        marks.mark(make.variant(), [marks.ALL])
        actions.render(make.variant())
        dashboards.change(SYSTEM, made.slug, {"title": "Other"}, None)
        marks.mark(make.variant(), [marks.ALL])
        actions.render(make.variant())
        assert version() == 2

    def test_a_mark_made_while_it_is_drawn_survives(self, draws: Draws) -> None:
        (widget,) = make.widgets_of(make.dashboard())

        def changes_meanwhile(widget: Widget) -> str:
            marks.mark(make.variant(), [widget.key])
            return "old value"

        draws(changes_meanwhile)
        marks.mark(make.variant(), [widget.key])
        actions.render(make.variant())
        assert marks.is_marked(make.variant())
        draws(lambda widget: "new value")
        assert actions.render(make.variant()) == 1
        assert not marks.is_marked(make.variant())

    def test_the_request_of_a_mark_made_while_it_is_drawn_is_sent(self, draws: Draws, asked: list[list[str]]) -> None:
        (widget,) = make.widgets_of(make.dashboard())
        draws(lambda widget: marks.mark(make.variant(), [widget.key]) or "x")  # type: ignore[func-returns-value]
        marks.mark(make.variant(), [widget.key])
        waiting.take()
        actions.render(make.variant())
        assert asked == [["tasks.render.render"]] * 2
        assert waiting.take() == make.variant()

    def test_a_worker_that_dies_loses_no_marks_and_leaves_the_turn(self, draws: Draws) -> None:
        (widget,) = make.widgets_of(make.dashboard())

        def dies(widget: Widget) -> str:
            raise MemoryError

        draws(dies)
        marks.mark(make.variant(), [widget.key])
        with pytest.raises(MemoryError):
            actions.render(make.variant())
        assert marks.is_marked(make.variant())
        draws(lambda widget: "x")
        assert actions.render(make.variant()) == 1

    def test_what_is_drawn_but_can_not_be_published_stays_marked(
        self, draws: Draws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (widget,) = make.widgets_of(make.dashboard())
        draws(lambda widget: "x")

        def unreachable(*_: object, **__: object) -> None:
            raise redis.exceptions.ConnectionError("away")

        monkeypatch.setattr("metrics.live.bus.publish", unreachable)
        marks.mark(make.variant(), [widget.key])
        with pytest.raises(redis.exceptions.ConnectionError):
            actions.render(make.variant())
        assert marks.is_marked(make.variant())

    @pytest.mark.parametrize("variant", [make.variant("gone", "1h"), make.variant("shop", "5y")])
    def test_what_is_not_there_is_not_drawn_nor_asked_for_again(self, variant: Topic) -> None:
        make.dashboard()
        marks.mark(variant, [marks.ALL])
        assert actions.render(variant) == 0
        assert not marks.is_marked(variant)

    def test_a_widget_that_was_deleted_is_left_out(self) -> None:
        (widget,) = make.widgets_of(make.dashboard())
        marks.mark(make.variant(), [widget.key])
        Widget.objects.all().delete()
        assert actions.render(make.variant()) == 0


@pytest.mark.django_db(transaction=True)
def test_many_workers_draw_a_variant_one_after_the_other(draws: Draws) -> None:
    make.dashboard()
    drawing, most, drawn = threading.Semaphore(1), [True], itertools.count(1)
    last = threading.Event()

    def draw(widget: Widget) -> str:
        most.append(drawing.acquire(blocking=False))
        last.wait(0.05)
        drawing.release()
        if next(drawn) < 4:
            marks.mark(make.variant(), [marks.ALL])
        return "x"

    def run() -> None:
        try:
            actions.render_waiting()
        finally:
            connection.close()

    draws(draw)
    marks.mark(make.variant(), [marks.ALL])
    workers = [threading.Thread(target=run) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert most == [True] * 5
    assert not marks.is_marked(make.variant())


class TestTurns:
    """Rendering that can't keep up falls behind fairly: each variant in turn, none twice before another had its own."""

    RANGES = ("15m", "1h", "6h")

    @pytest.fixture
    def variants(self) -> list[Topic]:
        for slug in ("shop", "works"):
            make.dashboard(slug)
        return [make.variant(slug, range) for range in self.RANGES for slug in ("shop", "works")]

    def test_each_waits_once_however_often_it_is_asked_for(self, variants: list[Topic]) -> None:
        for _ in range(3):
            for variant in variants:
                marks.mark(variant, [marks.ALL])
        assert waiting.length() == len(variants)
        assert [waiting.take() for _ in variants] == variants
        assert waiting.take() is None

    def test_what_changes_all_the_time_does_not_overtake_what_waits(
        self, variants: list[Topic], draws: Draws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Every render marks all variants again, as if rendering were ever slower than what comes in."""
        turns: list[Topic] = []
        render = actions.render

        def note(variant: Topic) -> int:
            turns.append(variant)
            if len(turns) < 4 * len(variants):
                marks.mark_each({variant: [marks.ALL] for variant in variants})
            return render(variant)

        draws(lambda widget: "x")
        monkeypatch.setattr(actions, "render", note)
        marks.mark_each({variant: [marks.ALL] for variant in variants})
        actions.render_waiting()
        assert all(Counter(turns[:end]).most_common()[0][1] <= end // len(variants) + 1 for end in range(1, len(turns)))
        assert set(Counter(turns).values()) <= {4, 5}
        assert not any(map(marks.is_marked, variants))

    def test_what_is_overtaken_leaves_the_others_their_turn(
        self, variants: list[Topic], draws: Draws, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        turns: list[Topic] = []

        def render(variant: Topic) -> int:
            turns.append(variant)
            raise snapshot.OvertakenError(str(variant))

        monkeypatch.setattr(actions, "render", render)
        marks.mark_each({variant: [marks.ALL] for variant in variants})
        actions.render_waiting()
        assert turns == variants

    def test_as_many_threads_as_may_render_do_and_the_rest_is_free_for_others(self, variants: list[Topic]) -> None:
        marks.mark_each({variant: [marks.ALL] for variant in variants})
        with ExitStack() as held:
            for _ in range(actions.AT_ONCE):
                held.enter_context(actions._rendering)
            actions.render_waiting()
            assert waiting.length() == len(variants)
        actions.render_waiting()
        assert waiting.length() == 0


def test_what_was_marked_while_it_was_drawn_counts_from_then(draws: Draws) -> None:
    (widget,) = make.widgets_of(make.dashboard())
    draws(lambda widget: marks.mark(make.variant(), [widget.key]) or "x")  # type: ignore[func-returns-value]
    marks.mark(make.variant(), [widget.key])
    first = float(make.marks(make.variant())["@"])
    actions.render(make.variant())
    assert float(make.marks(make.variant())["@"]) >= first
    assert make.marks(make.variant())[widget.key] == "2"


class TestRequests:
    def test_many_marks_are_one_request(self, asked: list[list[str]]) -> None:
        for widget in range(50):
            marks.mark(make.variant(), [str(widget)])
        assert asked == [["tasks.render.render"]]
        assert len([mark for mark in make.marks(make.variant()) if mark.isdecimal()]) == 50

    def test_a_render_that_began_makes_room_for_the_next_request(self, asked: list[list[str]]) -> None:
        make.dashboard()
        for _ in range(3):
            marks.mark(make.variant(), [marks.ALL])
            actions.render_waiting()
        assert len(asked) == 3

    def test_a_queue_that_does_not_answer_is_no_error_for_who_marks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from kombu.exceptions import OperationalError

        def unreachable(*_: object, **__: object) -> None:
            raise OperationalError("away")

        monkeypatch.setattr("celery.app.base.Celery.send_task", unreachable)
        marks.mark(make.variant(), ["1"])
        assert make.marks(make.variant())["1"] == "1"


class TestSweep:
    @pytest.fixture(autouse=True)
    def _watched(self) -> None:
        make.dashboard()

    def marked_at(self, now: float) -> bool:
        """Return whether a sweep at `now` asks for the variant, and forget that it did."""
        make.watch(make.variant(), now=now)
        actions.sweep(now)
        marked = marks.is_marked(make.variant())
        actions.render(make.variant())
        return marked

    def test_what_time_moves_on_is_drawn_once_a_period(self) -> None:
        assert [self.marked_at(make.AT + s) for s in (0, 1, 29, 30, 31, 59, 60)] == [
            True,
            False,
            False,
            True,
            False,
            False,
            True,
        ]

    def test_nobody_looks_so_nothing_is_drawn(self) -> None:
        actions.sweep(make.AT)
        assert not marks.is_marked(make.variant())

    def test_a_request_that_was_lost_is_made_again(self, asked: list[list[Any]], redis: redis.Redis) -> None:
        self.marked_at(make.AT)
        asked.clear()
        marks.mark(make.variant(), ["1"])
        redis.delete("wf:waiting:topics")  # its turn had come, and the worker that took it died
        make.watch(make.variant(), now=make.AT + 1)
        actions.sweep(make.AT + 1)
        assert asked == [["tasks.render.render"]]

    def test_a_task_that_was_lost_is_sent_again(self, asked: list[list[Any]]) -> None:
        self.marked_at(make.AT)
        marks.mark(make.variant(), ["1"])
        asked.clear()
        actions.sweep(make.AT + 1)
        assert asked == [["tasks.render.render"]]
        assert waiting.length() == 1

    def test_all_is_drawn_anew_once_after_redis_was_started(self, redis: redis.Redis) -> None:
        self.marked_at(make.AT)
        marked = [self.marked_at(make.AT + 1)]
        redis.set("wf:run", "the start before")
        assert [*marked, *(self.marked_at(make.AT + s) for s in (2, 3))] == [False, True, False]
        assert redis.get("wf:run") == redis.info("server")["run_id"].encode()

    def test_a_range_that_there_is_not_is_left_alone(self) -> None:
        strange = make.variant("shop", "5y")
        make.watch(strange, now=make.AT)
        actions.sweep(make.AT)
        assert not marks.is_marked(strange)


def test_what_somebody_changed_is_sent_before_all_else(
    draws: Draws, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """A page that follows an edit waits for no other widget; all of them come as one revision behind it."""
    make.dashboard(widgets=[{**make.widget(key), "key": key} for key in "abcd"])
    drawn: list[list[str]] = []

    def draw(widgets: Sequence[Widget], views: object) -> dict[str, str]:
        drawn.append(sorted(one.key for one in widgets))
        return {one.key: f"{one.key} at {one.y}" for one in widgets}

    monkeypatch.setitem(actions.FORMS, DASHBOARD, draw)
    marks.mark(make.variant(), [marks.ALL])
    actions.render(make.variant())
    revision = snapshot.revision(make.variant())
    sent: list[tuple[int, list[str]]] = []
    publish = bus.publish

    def note(topic: Topic, found: dict[str, str], number: int, *args: Any, **more: Any) -> None:
        sent.append((number, sorted(found)))
        publish(topic, found, number, *args, **more)

    monkeypatch.setattr(bus, "publish", note)
    drawn.clear()
    widgets = [
        {**one.model_dump(), "y": 9} if one.key == "b" else one
        for one in dashboards.spec_of(Dashboard.objects.get()).widgets
    ]
    make.watch(make.variant(), now=time.time())
    with django_capture_on_commit_callbacks(execute=True):
        dashboards.change(SYSTEM, "shop", {"widgets": widgets}, None)
    assert actions.render(make.variant()) == 4
    assert drawn == [["b"], ["a", "b", "c", "d"]]
    assert sent == [(revision, ["b"]), (revision + 1, ["a", "b", "c", "d"])]
    marks.mark(make.variant(), [marks.ALL, "b"])
    actions.render(make.variant())
    assert len(drawn) == 3  # nobody edited
