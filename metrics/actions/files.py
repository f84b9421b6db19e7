"""Files and pictures in rooms. They are sent ahead of the message that names them, and are removed with it."""

import re
import secrets
import time
import unicodedata
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q, Sum
from django.template.defaultfilters import filesizeformat

from metrics.access.policy import SAY, check
from metrics.access.principal import Principal
from metrics.actions import file_retention, rooms
from metrics.actions.errors import Invalid, Missing, TooLarge, TooOften
from metrics.models import Attachment, Message, Room
from metrics.redis_state import limits

MOST = 10
"""Files of one message."""
NAME_MOST = 120
EXTENSION_MOST = 16
PER_MINUTE = 60
FILE = "application/octet-stream"
"""The type of all that is no picture: a browser saves it, whatever is in it."""


def upload(by: Principal, room: int, name: str, data: bytes) -> Attachment:
    """Keep a file until a message in `room` (id) names it; a picture is made anew.

    Raises Forbidden, Missing, Invalid, TooLarge or TooOften.
    """
    place = rooms.find(by, room)
    check(by, SAY, place)
    if place.closed_at is not None:
        raise Invalid("room", rooms.CLOSED)
    check_size(len(data))
    if wait_s := limits.spend(f"files:{by.name}", 1, PER_MINUTE, time.time()):
        raise TooOften(f"You may send {PER_MINUTE} files in a minute.", wait_s)
    made, kept = _made(data, clean_name(name))
    made.key, made.room, made.by, made.at = secrets.token_urlsafe(18), place, by.name, datetime.now(UTC)
    with transaction.atomic():
        # Files of one room are counted in turn.
        if Room.objects.select_for_update(no_key=True).filter(pk=room).first() is None:
            raise Missing(f"There is no room {room}.")
        _check_quota(room, made.size)
        made.file.save(made.key, ContentFile(kept))
    return made


def check_size(size: int) -> None:
    """Raise Invalid or TooLarge unless a file may have `size` (bytes)."""
    most = settings.FILE_LIMIT_BYTES
    if not size:
        raise Invalid("file", "file: it is empty.")
    if size > most:
        raise TooLarge("file", f"file: it is too large: a file in a room has at most {_size(most)}.")


def find(by: Principal, room: int, key: str) -> Attachment:
    """Return the attachment of that key: one that was sent, or one's own. Raises Missing."""
    rows = Attachment.objects.filter(Q(by=by.name) | ~Q(message=None), room=rooms.find(by, room), key=key)
    found = rows.first()
    if found is None:
        raise Missing("There is no such file in this room.")
    return found


def content(one: Attachment) -> bytes:
    """Return the bytes of an attachment. Raises Missing if its storage has lost them."""
    try:
        with one.file.open() as file:
            return bytes(file.read())
    except FileNotFoundError:
        raise Missing("There is no such file in this room.") from None


def unsent(by: Principal, room: int, keys: Collection[str]) -> list[Attachment]:
    """Return, locked, the files of these keys that `by` uploaded to `room` (id) for a message. Raises Invalid."""
    if not keys:
        return []
    if len(keys) > MOST:
        raise Invalid("files", f"files: a message has at most {MOST}.")
    rows = Attachment.objects.select_for_update().filter(key__in=keys, room=room, by=by.name, message=None)
    found = list(rows)
    if len(found) < len(set(keys)):
        raise Invalid("files", "files: one of them was not uploaded by you to this room, or was sent already.")
    return found


def hold(keys: Collection[str]) -> None:
    """Lock the files of these keys, in one order for all processes, for a transaction that has several messages."""
    if keys:
        list(Attachment.objects.select_for_update().filter(key__in=keys).order_by("pk").values_list("pk"))


def attach(message: Message, files: Iterable[Attachment]) -> None:
    """Make `files` those of `message`."""
    Attachment.objects.filter(pk__in=[one.pk for one in files]).update(message=message)


def withdraw(by: Principal, room: int, key: str) -> None:
    """Remove a file of `by` that no message names yet. Raises Missing or Invalid."""
    found = find(by, room, key)
    if found.message_id is not None or found.by != by.name:
        raise Invalid("files", "It was sent already: delete the message.")
    with transaction.atomic():
        file_retention.discard(Attachment.objects.filter(pk=found.pk, message=None))


def document(one: Attachment) -> dict[str, Any]:
    """Return an attachment as programs see it; `width` and `height` (pixels) are those of a picture."""
    found = {"key": one.key, "name": one.name, "type": one.type, "size": one.size, "url": one.get_absolute_url()}
    return {**found, "width": one.width, "height": one.height} if one.width else found


def clean_name(name: str) -> str:
    """Return the last part of `name` without what a file's name does not have, or what would make it look another."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(
        " " if one.isspace() else one for one in last if unicodedata.category(one)[0] != "C" or one.isspace()
    )
    clean = " ".join(kept.split()).strip(" .")
    path = PurePosixPath(clean)
    if len(path.suffix) > EXTENSION_MOST:
        return clean[:NAME_MOST] or "file"
    return path.stem[: NAME_MOST - len(path.suffix)] + path.suffix or "file"


def _made(data: bytes, name: str) -> tuple[Attachment, bytes]:
    """Return an attachment, not saved yet, of what `data` is, and the bytes to keep. Raises Invalid."""
    from metrics import pictures  # not above: processes that see no picture need no Pillow

    try:
        picture = pictures.remade(data)
    except pictures.TooLargeError as problem:
        raise Invalid("file", f"file: {problem}") from None
    if picture is None:
        return Attachment(name=name, type=FILE, size=len(data)), data
    extensions = pictures.EXTENSIONS[picture.type]
    name = name if name.lower().endswith(extensions) else name + extensions[0]
    size = {"size": len(picture.data), "width": picture.width, "height": picture.height}
    return Attachment(name=name, type=picture.type, **size), picture.data


def _check_quota(room: int, size: int) -> None:
    most = settings.ROOM_FILES_LIMIT_BYTES
    used = Attachment.objects.filter(room=room).aggregate(sum=Sum("size"))["sum"] or 0
    if used + size > most:
        raise TooLarge(
            "file", f"file: the files of this room take {_size(used)} of {_size(most)}, and this one has {_size(size)}."
        )


def _size(size: int) -> str:
    return filesizeformat(size).replace("\xa0", " ")
