"""Files: kept in the database, where every process on every host can read them; and sent, never to be run."""

from typing import IO, Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.http import HttpResponse
from django.utils.deconstruct import deconstructible
from django.utils.http import content_disposition_header

HEADERS = {
    # Not even a picture gets to do anything, whatever a browser takes it for.
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=31536000, immutable",
}


def sent(data: bytes, content_type: str, name: str, *, is_shown: bool = False) -> HttpResponse:
    """Return the answer that a browser saves as `name`, or shows."""
    response = HttpResponse(data, content_type=content_type, headers=HEADERS)
    response["Content-Disposition"] = str(content_disposition_header(not is_shown, name))
    return response


@deconstructible
class DatabaseStorage(Storage):
    """A storage as Django has it, whose files are rows of `StoredFile`. A file is read and written whole."""

    def _open(self, name: str, mode: str = "rb") -> "File[Any]":
        if mode != "rb":
            raise ValueError("A file in the database is written once, and then only read.")
        try:
            found = self._rows().get(pk=name)
        except self._rows().model.DoesNotExist:
            raise FileNotFoundError(name) from None
        return ContentFile(bytes(found.data), name)

    def _save(self, name: str, content: IO[Any]) -> str:
        self._rows().create(name=name, data=content.read())
        return name

    def delete(self, name: str) -> None:
        self._rows().filter(pk=name).delete()

    def exists(self, name: str) -> bool:
        return bool(self._rows().filter(pk=name).exists())

    def size(self, name: str) -> int:
        return len(self._open(name).read())

    @staticmethod
    def _rows() -> Any:
        from metrics.models import StoredFile  # settings name this class before there are models

        return StoredFile.objects
