"""Removing files of rooms: with the message that names them, or after a while without one."""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from django.core.files.storage import storages
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from metrics.models import Attachment, StoredFile
from metrics.times import datetime_of

UNSENT_KEPT = timedelta(days=1)


def discard(rows: QuerySet[Attachment]) -> None:
    """Remove attachments, and their files when the transaction around this is committed."""
    found = list(rows.values_list("pk", "file"))
    if found:
        Attachment.objects.filter(pk__in=[pk for pk, _ in found]).delete()
        transaction.on_commit(partial(_remove, [name for _, name in found]))


def forget(now: float) -> None:
    """Remove files that no message named within a day before `now` (Unix seconds), and what else is left behind."""
    oldest = datetime_of(now) - UNSENT_KEPT
    with transaction.atomic():
        discard(Attachment.objects.filter(message=None, at__lt=oldest))
    named = Attachment.objects.filter(file=OuterRef("name"))
    StoredFile.objects.filter(~Exists(named), at__lt=oldest).delete()


def _remove(names: Iterable[str]) -> None:
    storage = storages["attachments"]
    for name in names:
        storage.delete(name)
