"""A room as one file."""

import re
from datetime import UTC, datetime

import pytest
from django.utils import timezone

from metrics.access.principal import SYSTEM, of_user
from metrics.actions import files, message_changes, messages, room_export, rooms
from metrics.actions.errors import Invalid, Missing
from metrics.models import Attachment, Message, Room
from tests import make
from tests.pictures.test_pictures import drawn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

ORIGIN = "https://floor.example"


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    """A room with something of everything, of 20 to 23 November."""
    monkeypatch.setattr(room_export, "BATCH", 2)
    made = rooms.create(SYSTEM, "War <room>")
    ada = of_user(make.user("ada"))
    keys = [files.upload(ada, made.pk, name, data).key for name, data in (("a].png", drawn("PNG")), ("log.txt", b"x"))]
    messages.say(ada, made.pk, f"<b>one</b> [rooms](/rooms/{made.pk}/)")
    messages.say(ada, made.pk, "", files=tuple(keys))
    messages.say(SYSTEM, made.pk, "three", reply_to=1)
    message_changes.delete(SYSTEM, made.pk, messages.say(SYSTEM, made.pk, "gone").number)
    message_changes.react(ada, made.pk, 1, "👍")
    Message.objects.filter(number=3).update(drawing='<div class="drawing"><svg></svg></div>')
    for number in range(1, 5):
        Message.objects.filter(number=number).update(at=datetime(2026, 11, 19 + number, 12, tzinfo=UTC))
    return made


def exported(room: Room, format: str, since: str = "", until: str = "") -> str:
    return "".join(room_export.export(SYSTEM, room.pk, format, since, until, ORIGIN).parts())


def test_html_has_all_inside_and_asks_nothing_of_the_network(room: Room) -> None:
    page = exported(room, "html")
    assert re.findall(r'<article id="m-(\d)"', page) == ["1", "2", "3", "4"]
    assert "&lt;b&gt;one" in page
    assert "<title>War &lt;room&gt;</title>" in page
    assert '<img src="data:image/png;base64,iVBOR' in page
    assert '<div class="drawing"><svg>' in page
    assert "This message was deleted." in page
    assert "gone" not in page
    assert not re.search(r'(?:src|href)="/|url\(|<script|<link|@import', page)
    assert f'href="{ORIGIN}/rooms/{room.pk}/"' in page
    assert page.rstrip().endswith("</html>")


def test_html_has_what_looks_like_a_tag_as_it_was_typed(room: Room) -> None:
    picture = Attachment.objects.exclude(width=None).get()
    typed = f'src="{picture.get_absolute_url()}" href="/d/shop/"'
    Message.objects.filter(number=2).update(text=typed)
    page = exported(room, "html")
    assert f"<p>{typed}</p>" in page
    assert page.count("data:image/png") == 1


def test_markdown_is_what_was_written_under_days(room: Room) -> None:
    text = exported(room, "markdown")
    assert text.startswith("# War <room>\n\n## Friday, 20 November 2026\n\n**ada**, 12:00:00 UTC\n\n<b>one</b> [rooms]")
    assert f"](/rooms/{room.pk}/)\n\n👍 ada\n" in text
    assert "## Saturday, 21 November 2026" in text
    found = {one.name: one for one in Message.objects.get(number=2).attachments.all()}
    assert f"[a\\].png]({ORIGIN}{found['a].png'].get_absolute_url()})" in text
    assert "(in reply to ada)" in text
    assert "*(a drawing, which the export as HTML has)*" in text
    assert text.endswith("*This message was deleted.*\n")


@pytest.mark.parametrize(
    ("zone", "since", "until", "numbers"),
    [
        ("UTC", "", "", "1234"),
        ("UTC", "2026-11-21", "", "234"),
        ("UTC", "", "2026-11-21", "12"),
        ("UTC", "2026-11-21", "2026-11-21", "2"),
        ("UTC", "2026-11-21T12:00", "2026-11-22T12:00", "2"),
        ("UTC", "2026-11-21T12:00:01", "", "34"),
        ("Pacific/Kiritimati", "2026-11-22", "", "234"),
        ("Pacific/Kiritimati", "2026-11-21T12:00+00:00", "", "234"),
        ("UTC", "2027-01-01", "", ""),
        ("UTC", "", "9999-12-30", "1234"),
    ],
)
def test_a_span_is_in_the_zone_of_the_server(room: Room, zone: str, since: str, until: str, numbers: str) -> None:
    with timezone.override(zone):
        assert "".join(re.findall(r'<article id="m-(\d)"', exported(room, "html", since, until))) == numbers


@pytest.mark.parametrize(
    ("format", "since", "until", "field"),
    [
        ("pdf", "", "", "format"),
        ("html", "yesterday", "", "from"),
        ("html", "", "2026-13-40", "until"),
        ("html", "", "9999-12-31", "until"),
        ("markdown", "2026-11-21T25:00", "", "from"),
    ],
)
def test_what_can_not_be_is_refused(room: Room, format: str, since: str, until: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        exported(room, format, since, until)
    assert refused.value.field == field


def test_it_is_for_those_who_see_the_room(room: Room) -> None:
    rooms.change(SYSTEM, room.pk, {"access": {"everyone": False}})
    with pytest.raises(Missing):
        room_export.export(of_user(make.user("vera")), room.pk, "html", "", "", ORIGIN)
