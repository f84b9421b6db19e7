"""The Pushgateway's paths, so that its clients push here: `/metrics/job/<job>{/<label>/<value>}`."""

from collections.abc import Callable, Collection, Sequence

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.errors import HttpError

from metrics.actions import access, groups
from metrics.api.push import take
from metrics.api.tokens import push, token_of
from metrics.api.told import tell
from metrics.exposition import BadExposition
from metrics.ingest import pushgateway
from metrics.models import Source, Token
from metrics.sample import Sample

router = Router(auth=push)

PATH = "metrics/{path:group}"


@router.put(PATH)
def replace(request: HttpRequest, group: str) -> HttpResponse:
    """Make the body all that there is of a group."""
    return _push(request, group, every_name=True)


@router.post(PATH)
def add(request: HttpRequest, group: str) -> HttpResponse:
    """Make the body all that there is of the group's metrics that it names; the others stay."""
    return _push(request, group, every_name=False)


@router.delete(PATH)
def delete(request: HttpRequest, group: str) -> HttpResponse:
    """Have nothing of a group count any more."""
    key, anybodys = pushgateway.group_key(_labels(group)), _may_change_any(request)
    take(request, lambda _: [], lambda _, source, now, also: groups.push(key, [], None, source, now, also, anybodys))
    return HttpResponse(status=202)


def _push(request: HttpRequest, group: str, every_name: bool) -> HttpResponse:
    labels = _labels(group)
    names: set[str] = set()

    def parse(body: bytes) -> list[Sample]:
        try:
            found = pushgateway.parse(body, request.headers.get("Content-Type", ""), labels)
        except BadExposition as error:
            raise HttpError(400, str(error)) from None
        except pushgateway.UnknownFormat as error:
            raise HttpError(415, str(error)) from None
        names.update(found.names)
        return tell(request, found.samples)

    def store(samples: Sequence[Sample], source: Source | None, now: float, also: Callable[[int], None] | None) -> int:
        replaced: Collection[str] | None = None if every_name else names
        key = pushgateway.group_key(labels)
        return groups.push(key, samples, replaced, source, now, also, _may_change_any(request))

    take(request, parse, store)
    return HttpResponse(status=200)


def _may_change_any(request: HttpRequest) -> bool:
    return access.grants(token_of(request), Token.Scope.ADMIN)


def _labels(group: str) -> dict[str, str]:
    try:
        return pushgateway.group(group)
    except pushgateway.BadGroup as error:
        raise HttpError(400, str(error)) from None
