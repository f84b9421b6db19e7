"""Files of rooms: uploaded first, and then named by a message."""

from typing import Any

from django.http import HttpRequest
from ninja import File, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from metrics.actions import files as actions
from metrics.api.body import TRYING
from metrics.api.rooms import Id
from metrics.api.tokens import edit, principal_of

router = Router(tags=["talk"], auth=edit)


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
