"""Parts that all the ways share by which alerts are sent: the token's limits, the one way in, and the refusal."""

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from ninja.errors import HttpError

from metrics.access.principal import Principal
from metrics.actions import received_alerts
from metrics.api.encoding import decoded
from metrics.api.push import spend
from metrics.api.tokens import principal_of, token_of
from metrics.ingest.alerts import NotAlerts, Sent

ALERTS_MOST = 10_000
SHOWN_MOST = 5


def take(request: HttpRequest, parse: Callable[[bytes, float], Sent]) -> int:
    """Take the alerts that `parse` finds in the body; return how many. Each counts as a sample that the token pushes.

    Raises what `take_as` does.
    """
    token = token_of(request)
    return take_as(request, principal_of(request), f"token:{token.pk}", parse)


def take_as(request: HttpRequest, by: Principal, limit: str, parse: Callable[[bytes, float], Sent]) -> int:
    """Take alerts that `by` sends, who may send as many in a minute as the `limit` of that name has.

    Raises HttpError 400 if some can't be taken, with the reasons; the others are. Raises NotAlerts, TooFastError, and
    HttpError for a body that is too large.
    """
    now = time.time()
    sent = parse(decoded(request, settings.PUSH_BODY_LIMIT_BYTES), now)
    count = len(sent.alerts) + len(sent.wrong)
    if count > ALERTS_MOST:
        raise HttpError(413, f"A request may have {ALERTS_MOST} alerts at most; split it.")
    spend(limit, count, now)
    done = received_alerts.receive(by, sent.alerts, now)
    if wrong := list(dict.fromkeys([*sent.wrong, *done.wrong])):
        raise HttpError(400, "; ".join(wrong[:SHOWN_MOST]))
    return done.count


__all__ = ["NotAlerts", "take"]
