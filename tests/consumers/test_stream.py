"""Frames and their viewers: a stream with viewers that keep up, fall behind, stall, and come back."""

import asyncio
import re

import pytest

from consumers import stream as module
from consumers.access import Decision
from consumers.frame import Frame
from consumers.holders import Credential
from consumers.limits import UNACKNOWLEDGED_BYTES
from consumers.outlet import Hear
from consumers.stream import Stream
from consumers.viewer import Viewer
from metrics.health.store import Down
from metrics.live.bus import FRAGMENTS, Message
from metrics.live.snapshot import Fragment, Snapshot
from metrics.live.topic import variant

VARIANT = variant(1, "1h")
BIG = "x" * (UNACKNOWLEDGED_BYTES // 2 + 1)


class Sent:
    """An outlet that keeps what it is sent, and draws it as a page would."""

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.codes: list[int] = []
        self.shows: dict[str, str] = {}

    def write(self, frame: Frame) -> None:
        self.frames.append(frame.text)
        self.shows |= dict(re.findall(r'hx-target="#w-([\w-]+)" hx-swap="outerMorph">(.*?)</hx-partial>', frame.text))

    def close(self, code: int) -> None:
        self.codes.append(code)

    def waiting_bytes(self) -> int:
        return 0

    def listen(self, hear: Hear) -> None:
        """Nothing is heard here; tests acknowledge themselves."""


class Clock:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_700_000_000 + self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    monkeypatch.setattr("consumers.viewer.time", made)
    monkeypatch.setattr(module, "FLUSH_S", 0.0)
    return made


@pytest.fixture
async def stream(clock: Clock) -> Stream:
    made = Stream(VARIANT)
    made.fed = True
    made.load(Snapshot("e1", 3, 1, {"1": Fragment("one", 2), "2": Fragment("two", 3)}))
    return made


def viewer() -> tuple[Viewer, Sent]:
    sent = Sent()
    return Viewer(sent, Credential("", ""), Decision(None, "user:1", "ann")), sent


def message(version: int, epoch: str = "e1", revision: int = 1, **fragments: str) -> Message:
    return {
        "type": FRAGMENTS,
        "topic": str(VARIANT),
        "epoch": epoch,
        "version": version,
        "revision": revision,
        "changed_at": 0.0,
        "fragments": {name.removeprefix("w"): html for name, html in fragments.items()},
    }


async def flushed() -> None:
    """Let the flush that was asked for run: a timer that is due comes after the tasks in the loop's next round."""
    for _ in range(2):
        await asyncio.sleep(0)


class TestJoining:
    @pytest.mark.parametrize(
        ("epoch", "version", "expected"),
        [
            ("e1", 3, {}),
            ("e1", 2, {"2": "two"}),
            ("e1", 0, {"1": "one", "2": "two"}),
            ("other", 3, {"1": "one", "2": "two"}),
            ("e1", 99, {"1": "one", "2": "two"}),
        ],
    )
    async def test_a_page_gets_what_is_newer_than_it_shows(
        self, stream: Stream, epoch: str, version: int, expected: dict[str, str]
    ) -> None:
        one, sent = viewer()
        stream.join(one, epoch, version)
        assert sent.shows == expected
        assert 'id="pulse"' in sent.frames[0]
        assert 'data-version="3"' in sent.frames[0]

    async def test_who_joins_between_two_flushes_misses_nothing(self, stream: Stream) -> None:
        await flushed()
        stream.take(message(4, w1="one, 4"))
        one, sent = viewer()
        stream.join(one, "e1", 3)
        stream.take(message(5, w2="two, 5"))
        await flushed()
        assert sent.shows == {"1": "one, 4", "2": "two, 5"}
        assert one.sent == 5


class TestFlushing:
    async def test_all_in_step_get_the_same_frame(self, stream: Stream) -> None:
        await flushed()
        (one, first), (two, second) = viewer(), viewer()
        stream.join(one, "e1", 3)
        stream.join(two, "e1", 3)
        stream.take(message(4, w1="a"))
        stream.take(message(5, w1="b"))
        await flushed()
        assert first.frames[1:] == second.frames[1:]
        assert len(first.frames) == 2, "two versions came within one flush"
        assert first.shows == {"1": "b"}

    async def test_a_missing_version_is_noticed(self, stream: Stream) -> None:
        assert not stream.take(message(6, w1="a"))
        assert not stream.take(message(4, epoch="e2", w1="a"))
        assert stream.take(message(3)), "one that is known already is no gap"

    async def test_a_new_epoch_is_sent_whole(self, stream: Stream) -> None:
        await flushed()
        one, sent = viewer()
        stream.join(one, "e1", 3)
        stream.load(Snapshot("e2", 1, 1, {"1": Fragment("anew", 1)}))
        await flushed()
        assert sent.shows == {"1": "anew"}
        assert 'data-epoch="e2"' in sent.frames[-1]

    async def test_an_edit_is_told_even_if_no_widget_changed(self, stream: Stream) -> None:
        await flushed()
        one, sent = viewer()
        stream.join(one, "e1", 3)
        stream.take(message(4, revision=2))
        await flushed()
        assert 'data-revision="2"' in sent.frames[-1]


class TestCredit:
    async def fill(self, stream: Stream, sent: Sent, version: int, *prompt: Viewer) -> int:
        """Send frames that `prompt` acknowledge, until none come to `sent`; return the last version."""
        while True:
            before = len(sent.frames)
            version += 1
            stream.take(message(version, w1=f"{version} {BIG}"))
            await flushed()
            for one in prompt:
                stream.acknowledge(one, one.sent)
            if len(sent.frames) == before:
                return version

    async def test_who_owes_too_much_is_sent_nothing_until_it_has_caught_up(self, stream: Stream, clock: Clock) -> None:
        await flushed()
        (slow, slow_page), (quick, quick_page) = viewer(), viewer()
        stream.join(slow, "e1", 3)
        stream.join(quick, "e1", 3)
        version = await self.fill(stream, slow_page, 3, quick)
        assert sum(map(len, slow_page.frames)) < 3 * UNACKNOWLEDGED_BYTES
        stream.take(message(version + 1, w2="meanwhile"))
        await flushed()
        assert "meanwhile" not in "".join(slow_page.frames)
        assert "meanwhile" in quick_page.frames[-1], "one that keeps up does not notice"

        clock.now += 4
        stream.acknowledge(slow, slow.sent)
        assert slow_page.shows["1"].startswith(f"{version} "), "the newest, not the ones in between"
        assert slow_page.shows["2"] == "meanwhile"
        assert slow.conflated == 2, "the frame that was too much, and the one meanwhile"
        assert slow.behind_longest_s == 4

    async def test_who_has_caught_up_is_in_step_again_however_much_it_missed(self, stream: Stream) -> None:
        await flushed()
        slow, sent = viewer()
        stream.join(slow, "e1", 3)
        version = await self.fill(stream, sent, 3)
        for missed in range(version + 1, version + 20):  # all of that passes it by
            stream.take(message(missed, w1=f"{missed} {BIG}"))
            await flushed()
        stream.acknowledge(slow, slow.sent)
        stream.take(message(missed + 1, w1="the next"))
        await flushed()
        assert sent.shows["1"] == "the next"
        assert slow.behind_since is None

    async def test_a_full_redraw_of_a_large_board_lets_nobody_fall_behind(self, stream: Stream) -> None:
        await flushed()
        one, sent = viewer()
        stream.join(one, "e1", 3)
        board = {f"w{number}": f"{number} {'x' * 12_000}" for number in range(40)}  # as large as charts may be
        stream.take(message(4, revision=2, **board))  # somebody published
        await flushed()
        assert len(sent.frames[-1]) > 1.8 * UNACKNOWLEDGED_BYTES
        for version in range(5, 9):  # samples come before the page has drawn it
            stream.take(message(version, w1=f"{version} {'y' * 12_000}"))
            await flushed()
        stream.load(Snapshot("e2", 1, 2, {name[1:]: Fragment(f"anew {html}", 1) for name, html in board.items()}))
        await flushed()
        for version in (2, 3):
            stream.take(message(version, epoch="e2", w2=f"{version} {'z' * 12_000}"))
            await flushed()
        assert (one.behind_since, one.conflated) == (None, 0)
        assert sent.shows["1"].startswith("anew 1 ")
        assert sent.shows["2"].startswith("3 ")

    async def test_half_an_acknowledgement_is_not_enough(self, stream: Stream) -> None:
        await flushed()
        slow, sent = viewer()
        stream.join(slow, "e1", 3)
        await self.fill(stream, sent, 3)
        count = len(sent.frames)
        stream.acknowledge(slow, slow.sent - 1)
        assert len(sent.frames) == count
        assert slow.behind_since is not None

    async def test_a_frame_larger_than_the_window_reaches_one_that_owes_nothing(self, stream: Stream) -> None:
        await flushed()
        one, sent = viewer()
        stream.join(one, "e1", 3)
        for version in (4, 5, 6):
            stream.take(message(version, w1=f"{version}" + 3 * BIG))
            await flushed()
            stream.acknowledge(one, version)
        assert sent.shows["1"].startswith("6")
        assert one.conflated == 0

    @pytest.mark.parametrize("version", [-1, 0, 2, 4, 10**9])
    async def test_a_wrong_acknowledgement_changes_nothing(self, stream: Stream, version: int) -> None:
        one, _ = viewer()
        stream.join(one, "e1", 2)
        stream.acknowledge(one, version)
        assert one.acked == 2

    async def test_who_never_answers_is_found_after_thirty_seconds(self, stream: Stream, clock: Clock) -> None:
        await flushed()
        (silent, _), (prompt, _), (idle, _) = viewer(), viewer(), viewer()
        stream.join(silent, "e1", 0)
        stream.join(prompt, "e1", 0)
        stream.join(idle, "e1", 3)
        stream.acknowledge(prompt, 3)
        clock.now += 29
        assert stream.stalled() == []
        clock.now += 2
        assert stream.stalled() == [silent]

    async def test_the_age_on_the_page_is_how_long_there_has_been_something_newer(
        self, stream: Stream, clock: Clock
    ) -> None:
        await flushed()
        one, _ = viewer()
        stream.join(one, "e1", 3)
        assert stream.age_s(one) == 0
        stream.take(message(4, w1="a"))
        await flushed()
        clock.now += 7
        stream.take(message(5, w1="b"))
        await flushed()
        assert stream.age_s(one) == pytest.approx(7)
        stream.acknowledge(one, 5)
        assert stream.age_s(one) == 0


class TestPulse:
    async def test_it_comes_when_no_frame_did(self, stream: Stream, clock: Clock) -> None:
        await flushed()
        one, sent = viewer()
        stream.join(one, "e1", 3)
        clock.now += 2
        stream.pulse()
        assert len(sent.frames) == 1
        clock.now += 2
        stream.pulse()
        assert len(sent.frames) == 2
        assert f'data-time="{clock.time():.3f}"' in sent.frames[-1]

    async def test_it_says_how_much_is_down(self, stream: Stream, clock: Clock) -> None:
        await flushed()
        one, sent = viewer()
        stream.join(one, "e1", 3)
        assert "-down" not in sent.frames[-1]
        stream.down = Down(sources=2)
        clock.now += 10
        stream.pulse()
        assert 'data-sources-down="2"></i>' in sent.frames[-1]

    async def test_it_is_withheld_from_one_who_is_behind(self, stream: Stream, clock: Clock) -> None:
        await flushed()
        one, sent = viewer()
        stream.join(one, "e1", 3)
        await TestCredit().fill(stream, sent, 3)
        count = len(sent.frames)
        clock.now += 60
        stream.pulse()
        assert len(sent.frames) == count
