"""Watching: people are told when a dashboard, a source or a heartbeat that they watch changes."""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Model

from metrics.access.policy import SEE, may
from metrics.access.principal import SYSTEM, Principal
from metrics.actions import journal, notifications, places
from metrics.actions.errors import Forbidden, Missing
from metrics.actions.notification_settings import CHANGE, STATE
from metrics.database import after_commit
from metrics.models import Transition, Watch
from metrics.models.log import sender

BAD = frozenset({"down", "failing"})
GOOD = frozenset({"up", "ok", "warning"})
"""States that somebody who watches a heartbeat or a source is told of."""


def watch(by: Principal, noun: str, id: str, *, on: bool) -> Model:
    """Have `by`, a person, be told of the thing from now on, or no more; return it. Raises Missing or Forbidden."""
    thing = places.watchable(noun, id)
    if thing is None or not may(by, SEE, thing):
        raise Missing(f"There is no {noun} {id!r} to watch.")
    if by.kind != "user" or by.pk is None:
        raise Forbidden("Only people watch things.")
    with transaction.atomic():
        if on:
            changed = Watch.objects.get_or_create(user_id=by.pk, noun=noun, thing=str(thing.pk))[1]
        else:
            changed = bool(Watch.objects.filter(user=by.pk, noun=noun, thing=str(thing.pk)).delete()[0])
        if changed:
            journal.record(by, "watch" if on else "stop watching", thing, is_change=False)
    return thing


def is_watching(user: int, thing: Model) -> bool:
    """Return whether `user` (id) watches `thing`."""
    return Watch.objects.filter(user=user, noun=journal.noun_of(thing), thing=str(thing.pk)).exists()


def notify_of_change(by: Principal, thing: Model, what: str, key: str, about: str = "") -> None:
    """Tell the watchers of `thing`, but for `by`, that `by` did `what`: a sentence that goes on from the name.

    It is told once the transaction is committed, if it can be: a change does not fail because of it.
    """
    text = f"{sender(by.name)} {what}"[: notifications.TEXT_MOST]
    to = f"watchers:{journal.noun_of(thing)}:{thing.pk}"
    after_commit(notifications.send, by, to, CHANGE, text, about, key)


def notify_of_transitions(transitions: Iterable[Transition]) -> None:
    """Tell the watchers of things that went down or came back, once the transaction is committed, if that can be."""
    news = [one for one in transitions if _is_news(one)]
    if news:
        after_commit(_notify_of, news)


def _is_news(transition: Transition) -> bool:
    return transition.after in BAD or (transition.before in BAD and transition.after in GOOD)


def _notify_of(transitions: Sequence[Transition]) -> None:
    watched = set(Watch.objects.filter(thing__in={one.thing for one in transitions}).values_list("noun", "thing"))
    for one in transitions:
        if (one.noun, one.thing) in watched:
            how = f"is {one.after}" if one.after in BAD else "is back"
            text = f"{one.name} {how}. {one.why}".strip()[: notifications.TEXT_MOST]
            key = f"{one.noun}:{one.thing}:{one.after}:{one.at.timestamp():.3f}"
            about = f"/{one.noun}s/{one.thing}/"
            notifications.send(SYSTEM, f"watchers:{one.noun}:{one.thing}", STATE, text, about, key)


def forget() -> None:
    """Remove the watches of things that are no more."""
    for noun, model in places.WATCHABLE.items():
        there = {str(pk) for pk in getattr(model, "with_deleted", model._default_manager).values_list("pk", flat=True)}
        watched = Watch.objects.filter(noun=noun).order_by().values_list("thing", flat=True).distinct()
        Watch.objects.filter(noun=noun, thing__in=set(watched) - there).delete()
