"""Pages that ask whether something is to be removed, and then remove it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from metrics.actions.errors import Invalid


@dataclass(frozen=True, slots=True)
class Removal:
    """A thing that may be removed: its `name`, and what is `lost` with it, as sentences.

    `way` are names and addresses of the pages above; who keeps it goes to the last of them. Once it is removed, `done`
    is said at the address `then`. `verb` is the word for it, such as Revoke.
    """

    name: str
    lost: str
    way: Sequence[tuple[str, str]]
    then: str
    done: str = ""
    verb: str = "Delete"


def confirm(request: HttpRequest, removal: Removal, remove: Callable[[], object]) -> HttpResponse:
    """Show the question, or `remove` it; what can't be (Invalid) is said where its way ends."""
    kept_at = removal.way[-1][1]
    if request.method != "POST":
        return render(request, "removal.html", {"removal": removal, "kept_at": kept_at})
    try:
        remove()
    except Invalid as problem:
        messages.error(request, str(problem))
        return redirect(kept_at)
    messages.success(request, removal.done or f"{removal.name} was removed.")
    return redirect(removal.then)
