"""How long messages stay in rooms."""

from datetime import timedelta

import pytest
from django.db.models import F

from metrics.access.principal import SYSTEM
from metrics.actions import files, messages, room_retention, rooms
from metrics.models import Attachment, AuditEntry, Message, Room, StoredFile
from tasks.rooms import keep

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def of_days(title: str, days: int | None, ages: list[float]) -> Room:
    """Return a room that keeps messages so many days, with messages of these ages (days), each with a file."""
    room = rooms.create(SYSTEM, title)
    rooms.change(SYSTEM, room.pk, {"keep_days": days})
    for age in ages:
        key = files.upload(SYSTEM, room.pk, "log.txt", b"x").key
        said = messages.say(SYSTEM, room.pk, f"{age}", files=(key,))
        Message.objects.filter(pk=said.pk).update(at=F("at") - timedelta(days=age))
    return room


def test_older_messages_go_with_their_files_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_retention, "BATCH", 2)
    short = of_days("short", 1, [9, 8, 7, 6, 5, 0.9, 0])
    of_days("for good", None, [900])
    answer = messages.say(SYSTEM, short.pk, "answer", reply_to=1)
    keep()
    assert [one.text for one in short.messages.all()] == ["0.9", "0", "answer"]
    answer.refresh_from_db()
    assert answer.reply_to is None
    assert Message.objects.count() == 4
    assert (Attachment.objects.count(), StoredFile.objects.count()) == (3, 3)
    assert messages.say(SYSTEM, short.pk, "next").number == 9  # numbers go on


def test_a_change_of_it_is_in_the_journal() -> None:
    of_days("short", 30, [])
    entry = AuditEntry.objects.get(verb="change")
    assert (entry.before, entry.after) == ({"keep_days": None}, {"keep_days": 30})
