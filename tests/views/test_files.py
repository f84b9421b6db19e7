"""Files of rooms: what is taken from a page, what a browser is given for it, and who."""

import io
import json
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pytest_django import Settings

from metrics import pictures
from metrics.access.principal import SYSTEM, of_user
from metrics.actions import dashboards, file_retention, files, message_changes, messages, rooms
from metrics.actions.errors import Invalid, TooOften
from metrics.models import Attachment, Message, Room, StoredFile
from tests import make
from tests.api.client import Program, body
from tests.pictures.test_pictures import bomb, drawn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
FILE, PNG, JPEG, GIF = files.FILE, "image/png", "image/jpeg", "image/gif"
SCRIPT = b"<script>alert(1)</script>"


@pytest.fixture
def ada() -> Client:
    browser = Client()
    browser.force_login(make.user("ada"))
    return browser


@pytest.fixture
def room() -> Room:
    return rooms.create(SYSTEM, "Open")


def upload(browser: Client, room: int, name: str, data: bytes, declared: str = "image/png") -> Any:
    sent = SimpleUploadedFile("x", data, declared)
    sent._name = name  # type: ignore[attr-defined]  # as it is: Django's own cleaning would come first
    return browser.post(f"/rooms/{room}/files/", {"file": sent})


def keep(room: Room, name: str = "plan.txt", data: bytes = b"plan", by: Any = SYSTEM) -> Attachment:
    return files.upload(by, room.pk, name, data)


@pytest.mark.parametrize(
    ("name", "data", "type", "kept"),
    [
        ("plan.png", drawn("PNG"), PNG, "plan.png"),
        ("evil.html", drawn("PNG"), PNG, "evil.html.png"),
        ("photo.JPEG", drawn("JPEG"), JPEG, "photo.JPEG"),
        ("lies.png", drawn("JPEG"), JPEG, "lies.png.jpg"),
        ("lies.png", HTML, FILE, "lies.png"),
        ("logo.svg", SVG, FILE, "logo.svg"),
        ("page.html", HTML, FILE, "page.html"),
        ("both.gif", b"GIF89a/*" + SCRIPT + b"*/=1;", FILE, "both.gif"),
        ("both.gif", drawn("GIF") + SCRIPT, GIF, "both.gif"),
        ("both.png", drawn("PNG") + b"PK\x03\x04" + SCRIPT, PNG, "both.png"),
        ("../../etc/passwd", b"x", FILE, "passwd"),
        ("C:\\Windows\\win.ini", b"x", FILE, "win.ini"),
        ("harmless\u202egnp.exe", b"x", FILE, "harmlessgnp.exe"),
        ("a\r\nSet-Cookie: x=1.txt", b"x", FILE, "a Set-Cookie: x=1.txt"),
        ("x" * 300 + ".pdf", b"x", FILE, "x" * 116 + ".pdf"),
        ("." * 300, b"x", FILE, "file"),
        ("\u200b\x00\ufeff", b"x", FILE, "file"),
        ("", b"x", FILE, "file"),
        ("naïve “plan” €.txt", b"x", FILE, "naïve “plan” €.txt"),
        ('"; filename=evil.html', b"x", FILE, '"; filename=evil.html'),
        ("a?b#c%2e%2e&d.txt", b"x", FILE, "a?b#c%2e%2e&d.txt"),
    ],
)
def test_what_is_given_back_is_what_it_is_under_a_name_that_is_one(
    ada: Client, room: Room, name: str, data: bytes, type: str, kept: str
) -> None:
    made = files.upload(of_user(make.user("bob")), room.pk, name, data)
    assert (made.name, made.type) == (kept, type)
    messages.say(of_user(made_by()), room.pk, "", files=(made.key,))
    response = ada.get(made.get_absolute_url())
    assert response.status_code == 200
    assert response["Content-Type"] == type
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Cache-Control"] == "private, max-age=31536000, immutable"
    assert response["Content-Disposition"].startswith("attachment" if type == FILE else "inline")
    assert "\n" not in response["Content-Disposition"]
    assert response.content == data if type == FILE else SCRIPT not in response.content


def made_by() -> Any:
    from django.contrib.auth.models import User

    return User.objects.get(username="bob")


@pytest.mark.parametrize(
    ("data", "limit", "status", "said"),
    [
        (b"", {}, 422, "It is empty."),
        (b"x" * 2000, {"FILE_LIMIT_BYTES": 1999}, 413, "It is too large: a file in a room has at most 2.0 KB."),
        (b"x" * 2000, {"ROOM_FILES_LIMIT_BYTES": 3999}, 413, "The files of this room take 2.0 KB of 3.9 KB"),
        (bomb(30_000, 30_000), {}, 422, "A picture has at most 40 megapixels."),
        (None, {}, 422, "It is missing."),
    ],
)
def test_what_can_not_be_taken_gets_one_sentence_and_changes_nothing(
    ada: Client, room: Room, settings: Settings, data: bytes | None, limit: dict[str, int], status: int, said: str
) -> None:
    keep(room, data=b"x" * 2000)
    for name, value in limit.items():
        setattr(settings, name, value)
    path = f"/rooms/{room.pk}/files/"
    response = ada.post(path, {"file": SimpleUploadedFile("plan.txt", data)} if data is not None else {})
    assert response.status_code == status
    assert json.loads(response.content)["detail"].startswith(said)
    assert (Attachment.objects.count(), StoredFile.objects.count()) == (1, 1)


def test_the_page_gets_a_key_and_sends_files_with_or_without_text(ada: Client, room: Room) -> None:
    response = upload(ada, room.pk, "plan.png", drawn("PNG", (800, 100)))
    assert response.status_code == 201
    made = json.loads(response.content)
    assert made == {
        "key": made["key"],
        "name": "plan.png",
        "type": PNG,
        "size": Attachment.objects.get().size,
        "url": f"/rooms/{room.pk}/files/{made['key']}/plan.png",
        "width": 800,
        "height": 100,
    }
    assert ada.get(made["url"]).status_code == 200
    assert ada.post(f"/rooms/{room.pk}/", {"text": "", "files": [made["key"]]}).status_code == 302
    page = ada.get(f"/rooms/{room.pk}/").content.decode()
    assert f'<img src="{made["url"]}" alt="plan.png" width="400" height="50" loading="lazy"' in page
    assert ada.post(f"/rooms/{room.pk}/", {"text": "", "files": [made["key"]]}).status_code == 422
    assert Message.objects.count() == 1


def test_who_may_upload_and_who_is_shown() -> None:
    ops = make.team("ops")
    theirs = rooms.create(SYSTEM, "Ops", {"everyone": False, "teams": ["ops"]})
    closed = rooms.create(SYSTEM, "Closed")
    rooms.close(SYSTEM, closed.pk)
    vic, vera = make.user("vic"), make.user("vera")
    vic.groups.add(ops)
    inside, outside, stranger = Client(), Client(), Client()
    inside.force_login(vic)
    outside.force_login(vera)
    for browser, place, status in (
        (inside, theirs.pk, 201),
        (outside, theirs.pk, 404),
        (stranger, theirs.pk, 401),
        (inside, closed.pk, 422),
        (inside, 999, 404),
    ):
        assert upload(browser, place, "plan.txt", b"x").status_code == status
    found = Attachment.objects.get()
    url = found.get_absolute_url()
    assert [one.get(url).status_code for one in (inside, outside, stranger)] == [200, 404, 302]
    administrator = Client()
    administrator.force_login(make.admin())
    assert administrator.get(url).status_code == 404  # not sent yet
    assert administrator.delete(url).status_code == 404
    other = rooms.create(SYSTEM, "Other")
    assert inside.get(url.replace(f"/{theirs.pk}/", f"/{other.pk}/")).status_code == 404
    guarded = Client(enforce_csrf_checks=True)
    guarded.force_login(vic)
    assert upload(guarded, theirs.pk, "plan.txt", b"x").status_code == 403
    assert inside.delete(url).status_code == 204
    assert (Attachment.objects.count(), StoredFile.objects.count()) == (0, 0)


class TestSaying:
    def test_a_file_belongs_to_one_message_of_whoever_uploaded_it(self, room: Room) -> None:
        ada, bob = of_user(make.user("ada")), of_user(make.user("bob"))
        key = keep(room, by=ada).key
        other = rooms.create(SYSTEM, "Other")
        for by, place, keys in (
            (bob, room, (key,)),
            (ada, other, (key,)),
            (ada, room, ("none",)),
            (ada, room, ("x",) * 11),
        ):
            with pytest.raises(Invalid) as refused:
                messages.say(by, place.pk, "x", files=keys)
            assert refused.value.field == "files"
        assert not Message.objects.exists()
        said = messages.say(ada, room.pk, "", "c-1", files=(key,))
        assert messages.say(ada, room.pk, "", "c-1", files=(key,)) == said  # sent again
        with pytest.raises(Invalid):
            messages.say(ada, room.pk, "again", files=(key,))
        assert [one["name"] for one in messages.document(said)["files"]] == ["plan.txt"]

    def test_of_two_at_once_the_first_gets_it(self, room: Room) -> None:
        ada = of_user(make.user("ada"))
        key = keep(room, by=ada).key
        draft = messages.Draft(ada, room.pk, "", files=(key,))
        first, second, third = messages.say_all([draft, draft, messages.Draft(ada, room.pk, "text")])
        assert isinstance(second, Invalid)
        assert isinstance(first, Message)
        assert isinstance(third, Message)
        assert (first.number, third.number) == (1, 2)

    def test_who_sends_many_has_to_wait(self, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(files, "PER_MINUTE", 2)
        with pytest.raises(TooOften):
            [keep(room) for _ in range(5)]

    def test_programs_do_the_same(self, room: Room) -> None:
        program, reader = Program("edit"), Program("read", "reader")
        path = f"/api/v1/rooms/{room.pk}/files"

        def send(who: Program, name: str = "plan.txt", data: bytes = b"plan") -> Any:
            return who.http.post(path, {"file": SimpleUploadedFile(name, data)}, headers=who._headers({}))

        assert [send(reader).status_code, send(Program(None)).status_code, send(program, data=b"").status_code] == [
            403,
            401,
            422,
        ]
        made = body(send(program))
        assert (made["name"], made["size"], "width" in made) == ("plan.txt", 4, False)
        said = f"/api/v1/rooms/{room.pk}/messages"
        assert program.post(said, {"files": [made["key"]]}).status_code == 201
        assert body(program.get(said))["messages"][0]["files"] == [made]
        path = f"/api/v1/rooms/{room.pk}/files/{made['key']}"
        answer = reader.get(path)
        assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"plan", FILE)
        assert answer["Content-Disposition"] == 'attachment; filename="plan.txt"'
        assert [one.get(f"{path}{end}").status_code for one, end in ((reader, "x"), (Program(None), ""))] == [404, 401]
        others = Program("read", "others", [make.team("others")])
        Room.objects.filter(pk=room.pk).update(for_everyone=False)
        assert [others.get(path).status_code, reader.get(path).status_code] == [404, 200]
        Room.objects.filter(pk=room.pk).update(for_everyone=True)
        for wrong in ({}, {"text": ""}, {"text": "x", "files": [made["key"]]}):
            assert program.post(said, wrong).status_code == 422


class TestRemoving:
    def test_a_file_goes_with_its_message_its_room_and_its_dashboard(self, room: Room) -> None:
        def said(place: Room) -> Message:
            return messages.say(SYSTEM, place.pk, "x", files=(keep(place).key,))

        message_changes.delete(SYSTEM, room.pk, said(room).number)
        assert (Attachment.objects.count(), StoredFile.objects.count()) == (0, 0)
        said(room)
        rooms.delete(SYSTEM, room.pk)
        assert (Attachment.objects.count(), StoredFile.objects.count()) == (0, 0)
        dashboard = make.dashboard("shop")
        said(rooms.of_dashboard(dashboard))
        dashboards.delete(SYSTEM, "shop", None)
        assert Attachment.objects.count() == 1  # it can be restored
        dashboards.forget_deleted(4e9)
        assert (Attachment.objects.count(), StoredFile.objects.count()) == (0, 0)

    def test_what_nobody_sent_within_a_day_is_forgotten(self, room: Room) -> None:
        messages.say(SYSTEM, room.pk, "x", files=(keep(room, "sent").key,))
        at = keep(room, "unsent").at.timestamp()
        storages["attachments"].save("left behind", io.BytesIO(b"x"))
        file_retention.forget(at + 86_000)
        assert StoredFile.objects.count() == 3
        file_retention.forget(at + 86_500)
        assert [one.name for one in Attachment.objects.all()] == ["sent"]
        assert StoredFile.objects.count() == 1

    def test_another_storage_does_as_well(self, room: Room, settings: Settings, tmp_path: Any) -> None:
        backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
        settings.STORAGES = {**settings.STORAGES, "attachments": backend}
        field: Any = Attachment._meta.get_field("file")
        had, field.storage = field.storage, storages["attachments"]
        try:
            made = keep(room)
            assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"plan"]
            assert files.content(files.find(SYSTEM, room.pk, made.key)) == b"plan"
            rooms.delete(SYSTEM, room.pk)
            assert list(tmp_path.iterdir()) == []
        finally:
            field.storage = had


class TestStorage:
    def test_it_keeps_to_djangos_contract(self) -> None:
        storage = storages["attachments"]
        assert storage.save("a", io.BytesIO(b"one")) == "a"
        assert storage.save("a", io.BytesIO(b"two")) != "a"
        assert (storage.exists("a"), storage.exists("b"), storage.size("a")) == (True, False, 3)
        assert storage.open("a").read() == b"one"
        storage.delete("a")
        storage.delete("a")
        for wrong, mode, error in (("a", "rb", FileNotFoundError), ("a", "wb", ValueError)):
            with pytest.raises(error):
                storage.open(wrong, mode)


def test_pictures_are_as_large_as_is_said(room: Room) -> None:
    made = keep(room, "wide.png", drawn("PNG", (3000, 20)))
    with Image.open(io.BytesIO(files.content(made))) as image:
        assert image.size == (made.width, made.height) == (pictures.SIDE_MOST, 17)
    assert made.shown_size == (400, 3)
