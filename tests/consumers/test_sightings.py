"""Which viewers showed which incidents: by the versions that they acknowledge."""

import pytest

from consumers.access import Decision
from consumers.holders import Credential
from consumers.sightings import Sightings
from consumers.viewer import Viewer
from metrics.live.topic import variant
from tests.consumers.test_stream import Sent

TOPIC = variant(7, "1h")


def viewer(acked: int, *, tab: bool = False, program: bool = False, wall: str = "w") -> Viewer:
    asked = {"viewer": wall} | ({"personal": "1"} if tab else {}) | ({"format": "json"} if program else {})
    made = Viewer(Sent(), Credential("", ""), Decision(None, "user:5", "ada"), asked=asked)
    made.begin(acked, 0)
    return made


@pytest.fixture
def marks() -> Sightings:
    made = Sightings()
    made.shown("a", '<i data-incidents="3 4">', 10)
    made.shown("b", "<i>", 10)
    made.shown("a", '<i data-incidents="3">', 12)
    return made


@pytest.mark.parametrize(("acked", "seen"), [(9, []), (10, [3]), (12, [3])])
def test_one_that_acknowledged_the_version_saw_it(marks: Sightings, acked: int, seen: list[int]) -> None:
    one = viewer(acked)
    marks.note(one, TOPIC)
    marks.note(one, TOPIC)
    assert [(found.incident, found.kind, found.viewer, found.dashboard) for found in marks.take()] == [
        (id, "wall", "w", 7) for id in seen
    ]
    assert marks.take() == []


def test_a_tab_is_its_person_and_a_program_sees_nothing(marks: Sightings) -> None:
    marks.note(viewer(20, tab=True), TOPIC)
    marks.note(viewer(20, program=True), TOPIC)
    assert [(found.kind, found.viewer, found.name) for found in marks.take()] == [("tab", "user:5", "ada")]


def test_versions_of_an_earlier_epoch_say_nothing(marks: Sightings) -> None:
    marks.begin()
    marks.note(viewer(20), TOPIC)
    assert marks.take() == []


@pytest.mark.parametrize(
    ("asked", "is_wall"), [({}, True), ({"personal": "1"}, False), ({"tab": "1"}, False), ({"format": "json"}, False)]
)
def test_a_wall_is_what_is_neither_a_tab_nor_a_program(marks: Sightings, asked: dict[str, str], is_wall: bool) -> None:
    one = Viewer(Sent(), Credential("", ""), Decision(None, "link:5", "link lobby"), asked=asked)
    assert one.is_wall is is_wall
    one.begin(20, 0)
    marks.note(one, TOPIC)
    kinds = [found.kind for found in marks.take()]
    assert kinds == ([] if one.as_json else ["wall" if is_wall else "tab"])


@pytest.mark.parametrize(("called", "is_kept"), [("0f-A_9", True), ("", False), ("w\0", False), ("w" * 41, False)])
def test_a_wall_with_a_name_that_can_not_be_gets_one(called: str, is_kept: bool) -> None:
    named = viewer(0, wall=called).wall
    assert named
    assert (named == called) is is_kept
