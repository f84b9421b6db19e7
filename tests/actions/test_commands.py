"""Commands in the room of an incident: what they do, and what is said of them."""

import time

import pytest

from metrics.access.principal import Principal, of_user
from metrics.actions import commands, rooms
from metrics.actions.errors import Forbidden, Invalid, Missing
from metrics.models import AuditEntry, Incident, Message, Notification
from metrics.times import seconds_of
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture
def incident() -> Incident:
    made = make.incident("Disk full")
    made.checklist = [{"text": "Look"}, {"text": "Call"}]
    made.save()
    rooms.of_incident(made)
    return made


@pytest.fixture
def ann() -> Principal:
    return of_user(make.user("ann", is_staff=True))


def said() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("text", flat=True))


def test_each_does_what_a_button_does_and_is_said(incident: Incident, ann: Principal) -> None:
    make.user("bob", is_staff=True)

    def write(text: str) -> Incident:
        commands.say(ann, incident.room.pk, text)
        return Incident.objects.get(pk=incident.pk)

    taken = write("/ack for 2h on it")
    assert (taken.acknowledged_by, taken.reason) == ("user ann", "on it")
    assert abs((seconds_of(taken.acknowledged_until) or 0) - time.time() - 7200) < 60
    assert write("/ack for now I look").reason == "for now I look"
    assert write("/severity critical").severity == "critical"
    assert [bool(one.get("done_by")) for one in write("/done 2").checklist] == [False, True]
    assert write("/handover @bob my shift ends").acknowledged_by == "user bob"
    assert Notification.objects.filter(user__username="bob", kind="mention").count() == 1
    assert write("/resolve known").resolved_by == "user ann"
    assert write("/reopen").resolved_at is None
    assert said()[-7:] == [
        "ann did: Call",
        "/handover @bob my shift ends",
        "ann handed it over to @bob: my shift ends",
        "/resolve known",
        "ann resolved it: known",
        "/reopen",
        "ann opened it again.",
    ]
    verbs = AuditEntry.objects.filter(noun="incident", by="user ann").values_list("verb", flat=True)
    assert set(verbs) == {"acknowledge", "change", "hand over", "resolve", "reopen"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("/akc", "no command /akc"),
        ("/help", "/ack .for 2h. .reason.; /resolve"),
        ("/ack for 99999d", "more than 30d"),
        ("/handover", "to whom"),
        ("/handover @nobody", "no user"),
        ("/severity bad", "critical, warning or info"),
        ("/done 3", "2 items"),
        ("/done ٣", "2 items"),
        ("/show nothing", "no alert"),
    ],
)
def test_what_is_refused_is_not_said(incident: Incident, ann: Principal, text: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        commands.say(ann, incident.room.pk, text)
    assert said() == []
    assert not AuditEntry.objects.exists()


def test_viewers_command_nothing(incident: Incident) -> None:
    vic = of_user(make.user("vic"))
    with pytest.raises(Forbidden, match="only editors"):
        commands.say(vic, incident.room.pk, "/ack")
    assert said() == []
    assert [one["name"] for one in commands.listed(vic, incident.room)] == ["/show", "/help"]


@pytest.mark.parametrize("text", ["/ack", "/help", "/nothing"])
def test_strangers_do_not_even_learn_that_it_is_there(text: str) -> None:
    hidden = make.incident("Secret", everyone=False, teams=[make.team("night")])
    with pytest.raises(Missing):
        commands.say(of_user(make.user("eve", is_staff=True)), rooms.of_incident(hidden).pk, text)


def test_the_same_one_again_is_done_once(incident: Incident, ann: Principal) -> None:
    first = commands.say(ann, incident.room.pk, "/ack", "a")
    assert commands.say(ann, incident.room.pk, "/ack", "a").pk == first.pk
    assert said() == ["/ack", "ann took it."]


def test_elsewhere_they_are_texts_and_so_are_paths(incident: Incident, ann: Principal) -> None:
    room = rooms.create(ann, "Talk")
    commands.say(ann, room.pk, "/ack")
    commands.say(ann, incident.room.pk, "/var/log is full")
    assert said() == ["/ack", "/var/log is full"]
    assert Incident.objects.get().acknowledged_by == ""
