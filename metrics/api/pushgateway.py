"""The Pushgateway's paths, so that its clients push here: `/metrics/job/<job>{/<label>/<value>}`."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.errors import HttpError

from metrics.access.policy import CHANGE, OTHERS_GROUPS, may
from metrics.actions import push_groups
from metrics.actions.samples import Push
from metrics.api.hints import with_hints
from metrics.api.push import Store, take
from metrics.api.tokens import principal_of, push
from metrics.batch import Accepted, Parsed
from metrics.exposition import BadExposition
from metrics.ingest import pushgateway

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
    take(request, lambda _: Parsed(), _store(request, _labels(group), every_name=True))
    return HttpResponse(status=202)


def _push(request: HttpRequest, group: str, every_name: bool) -> HttpResponse:
    labels = _labels(group)

    def parse(body: bytes) -> Parsed:
        try:
            return with_hints(request, pushgateway.parse(body, request.headers.get("Content-Type", ""), labels))
        except BadExposition as error:
            raise HttpError(400, str(error)) from None
        except pushgateway.UnknownFormat as error:
            raise HttpError(415, str(error)) from None

    take(request, parse, _store(request, labels, every_name))
    return HttpResponse(status=200)


def _store(request: HttpRequest, labels: Mapping[str, str], every_name: bool) -> Store:
    """Return what stores a push as the group with these `labels`, in place of all that it had, or of what is named."""
    key, anybodys = pushgateway.group_key(labels), _may_change_any(request)

    def store(push: Push, parsed: Parsed, now: float) -> Accepted:
        return push_groups.replace(key, push, None if every_name else parsed.names, now, anybodys)

    return store


def _may_change_any(request: HttpRequest) -> bool:
    return may(principal_of(request), CHANGE, OTHERS_GROUPS)


def _labels(group: str) -> dict[str, str]:
    try:
        return pushgateway.group(group)
    except pushgateway.BadGroup as error:
        raise HttpError(400, str(error)) from None
