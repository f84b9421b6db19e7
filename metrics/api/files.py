"""Files of rooms: uploaded first, then named by a message, and downloaded."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import File, Path, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from metrics.actions import files as actions
from metrics.api.body import ONE, TRYING
from metrics.api.rooms import Id
from metrics.api.tokens import edit, principal_of, read
from metrics.files import sent

router = Router(tags=["talk"], auth=edit)

Key = Annotated[str, Path(description="The key of the file.", max_length=40)]

_BYTES = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
AS_BYTES = {"responses": {200: {"description": "OK", "content": _BYTES}}}


class FileOut(Schema):
    """A file in a room; `width` and `height` are pixels of a picture."""

    key: str = Field(description="Its name in a message that is sent.")
    name: str
    type: str
    size: int = Field(description="Bytes, as it is kept.")
    url: str
    width: int | None = None
    height: int | None = None


@router.post("rooms/{id}/files", response={201: FileOut, **TRYING}, exclude_unset=True)
def upload_file(request: HttpRequest, id: Id, file: File[UploadedFile]) -> Status[dict[str, Any]]:
    """Upload a file for a message, which has to name its key within a day. Pictures are made anew, without metadata."""
    actions.check_size(file.size or 0)
    return Status(201, actions.document(actions.upload(principal_of(request), id, file.name or "", file.read())))


@router.get("rooms/{id}/files/{key}", response=ONE, openapi_extra=AS_BYTES, auth=read)
def download_file(request: HttpRequest, id: Id, key: Key) -> HttpResponse:
    """The bytes of a file of a message, or of one that the token uploaded."""
    found = actions.find(principal_of(request), id, key)
    return sent(actions.content(found), found.type, found.name)
