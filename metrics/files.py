"""Files in the database, where every process on every host can read them."""

from typing import IO, Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.utils.deconstruct import deconstructible


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
