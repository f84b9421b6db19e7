"""Escalation steps of teams, and of the installation: reading and changing them."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet

from metrics.access.principal import SYSTEM, Principal, of_user
from metrics.actions import audience, incident_messages, notifications, sightings, timeline
from metrics.actions.errors import Invalid
from metrics.actions.notification_settings import ALERT
from metrics.alerts.escalation import EscalationSpec
from metrics.models import Alert, Incident
from metrics.prepared_query import Given, PreparedQuery
from metrics.times import datetime_of
from metrics.widgets.units import age

AT_ONCE = 100


def begin(incident: Incident, spec: EscalationSpec, now: datetime) -> None:
    """Begin the steps of `incident`; one that is due at once counts as taken. Saving it is for the caller."""
    incident.step, incident.unseen_at = 0, None
    incident.next_step_at = now + timedelta(seconds=spec.steps[0].after_s)
    if not spec.steps[0].after_s:
        _go_on(incident, spec)


def _due_by(moment: datetime | Given) -> Q:
    return Q(next_step_at__lte=moment, resolved_at=None, acknowledged_at=None)


def _waiting(moment: Given) -> QuerySet[Incident, tuple[int]]:
    told = Alert.objects.filter(incident=OuterRef("pk"), are_told=True)
    is_free = Exists(told.filter(acknowledged_at=None)) | ~Exists(told)  # alerts may be taken one by one, too
    return Incident.objects.filter(_due_by(moment), is_free).order_by("pk").values_list("pk")[:AT_ONCE]


_WAITING = PreparedQuery(_waiting, DateTimeField())


def sweep(now: float) -> int:
    """Take the steps that are due at `now` (Unix seconds); return how many."""
    moment, count = datetime_of(now), 0
    for (pk,) in _WAITING.rows(moment):
        with transaction.atomic():
            incident = Incident.objects.select_for_update(no_key=True).filter(_due_by(moment), pk=pk).first()
            if incident is not None:
                _take_step(incident, moment)
                count += 1
    return count


def hurry(now: float) -> int:
    """Have the next step of critical incidents be due that nobody has seen for a minute; return how many."""
    moment, ids = datetime_of(now), sightings.unseen(now)
    for pk in ids:
        with transaction.atomic():
            incident = (
                Incident.objects.select_for_update(no_key=True)
                .filter(pk=pk, unseen_at=None, acknowledged_at=None)
                .first()
            )
            if incident is None:
                continue
            incident.unseen_at = moment
            has_step = incident.next_step_at is not None
            if incident.next_step_at is not None and incident.next_step_at > moment:
                incident.next_step_at = moment
            incident.save(update_fields=["unseen_at", "next_step_at"])
            follows = ": the next step is due." if has_step else "."
            timeline.say(incident, f"Nobody has seen it for a minute{follows}", f"unseen:{incident.pk}")
    return len(ids)


def person(name: str) -> Principal | None:
    """Return the user of that name who may sign in."""
    found = User.objects.filter(username=name, is_active=True).first()
    return None if found is None else of_user(found)


def _take_step(incident: Incident, now: datetime) -> None:
    spec = audience.of_teams(incident.teams.all())
    step = spec.steps[min(incident.step, len(spec.steps) - 1)]
    to = audience.of_steps(incident, [step], now.timestamp())
    timeline.hold([incident])
    lasts = age((now - incident.opened_at).total_seconds())
    key = f"incident:{incident.pk}:step:{incident.next_step_at:%s}"
    for one in to.people:
        text = f"Nobody has taken it for {lasts}: {incident.title}"
        try:
            notifications.send(SYSTEM, one, ALERT, text, f"/incidents/{incident.pk}/", key)
        except Invalid as problem:  # the user or the team is gone
            timeline.say(incident, f"{one} can't be told: {problem}")
    told = incident_messages.escalated(incident, to.channels, key, now)
    incident.next_step_at = now  # after a pause of ours the steps go on from now, and not all at once
    _go_on(incident, spec)
    incident.save(update_fields=["step", "next_step_at", "untold_since", "changed_at"])
    said = ", ".join([*(one.partition(":")[2] or one for one in to.people), *(one.name for one in told)])
    timeline.say(incident, f"Nobody has taken it for {lasts}: told {said or 'nobody'}.", key)


def _go_on(incident: Incident, spec: EscalationSpec) -> None:
    """Note that the step that is due was taken, and when the next one is; the last one may repeat."""
    assert incident.next_step_at is not None
    before = spec.steps[min(incident.step, len(spec.steps) - 1)].after_s
    incident.step += 1
    if incident.step < len(spec.steps):
        incident.next_step_at += timedelta(seconds=spec.steps[incident.step].after_s - before)
    else:
        incident.next_step_at = incident.next_step_at + timedelta(seconds=spec.repeat_s) if spec.repeat_s else None
