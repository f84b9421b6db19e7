"""Actions that write, each tried once, and those whose entry in the journal is elsewhere."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from PIL import Image

from metrics.access.principal import SYSTEM, Principal, Role
from metrics.actions import (
    account,
    alert_webhooks,
    alerts,
    annotations,
    channel_files,
    channels,
    dashboard_files,
    dashboards,
    drafts,
    escalation_files,
    escalation_specs,
    grafana_import,
    heartbeats,
    incidents,
    links,
    maintenance,
    message_changes,
    messages,
    notification_settings,
    notifications,
    pictures,
    ready_made,
    received_rules,
    rooms,
    rule_files,
    rules,
    schedule_files,
    schedules,
    screens,
    silences,
    sources,
    teams,
    tokens,
    trials,
    users,
    watches,
    web_push,
)
from metrics.alerts.matchers import parse
from metrics.models import (
    Alert,
    AuditEntry,
    Dashboard,
    Heartbeat,
    Invitation,
    Link,
    Room,
    Session,
    Source,
    Team,
    Widget,
)
from metrics.redis_state import pairing
from tests import make

TRIAL = {"duration_s": 0.1, "count": 0, "samples": [], "note": "", "error": ""}
RULE = {"query": {"metric": "disk_used"}, "condition": {"kind": "threshold", "above": 90}}
HOOK = {"url": "http://192.0.2.1/in", "secret": "x" * 24}
STEPS = {"steps": [{"tell": ["everyone"]}]}
BROWSER = ("https://push.example/a", "BA" + "A" * 85, "A" * 22, "Firefox on Linux")


@pytest.fixture
def furnished(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of everything, and an empty journal."""
    monkeypatch.setattr("celery.app.base.Celery.send_task", lambda *_, **__: None)
    monkeypatch.setattr("metrics.redis_state.collecting.run", lambda _: None)
    monkeypatch.setattr("metrics.redis_state.collecting.ask", lambda *_: json.dumps(TRIAL))
    monkeypatch.setattr("metrics.actions.web_push.Browser", lambda *_: None)  # the keys are made up
    monkeypatch.setenv("HOOK_SECRET", HOOK["secret"])
    make.dashboard("shop")
    make.source(name="machine")
    make.token("job", "push")
    links.create(SYSTEM, "shop", "desk")
    heartbeats.create(SYSTEM, "backup", every_s=60)
    make.user("ada", is_staff=True)
    make.user("ben", is_superuser=True)
    make.team("day")
    rooms.create(SYSTEM, "Calm room")
    AuditEntry.objects.all().delete()


def ben() -> Principal:
    return Principal("user", "user ben", Role.ADMIN, user("ben").pk, address="192.0.2.7")


T = TypeVar("T")


def before(made: T) -> T:
    """Return what was made before the action that is tried: its entries do not count."""
    AuditEntry.objects.all().delete()
    return made


def user(name: str) -> User:
    return User.objects.get(username=name)


def machine() -> int:
    return Source.objects.get(name="machine").pk


def backup() -> Heartbeat:
    return Heartbeat.objects.get(name="backup")


def day() -> int:
    return Team.objects.get(name="day").pk


def deleted_dashboard() -> int:
    made = make.dashboard("gone")
    dashboards.delete(SYSTEM, "gone", None)
    return before(made.pk)


def widget() -> str:
    return Widget.objects.get(dashboard__slug="shop").key


def drafted(by: Principal) -> int:
    return drafts.edit(by, "shop", {"title": "Store"}, drafts.current(by, "shop").version).version


def calm_room(*, closed: bool = False) -> int:
    room = Room.objects.get(title="Calm room")
    Room.objects.filter(pk=room.pk).update(closed_at=timezone.now() if closed else None)
    return room.pk


def said(by: Principal) -> tuple[int, int]:
    room = calm_room()
    return room, messages.say(by, room, "hello").number


def invited(by: Principal) -> int:
    users.invite(by, "editor", [], "Hal")
    return before(Invitation.objects.get().pk)


def webhook() -> int:
    return before(alert_webhooks.create(SYSTEM, "pager", {"name": "title"})[0].pk)


def rule() -> int:
    return before(rules.create(SYSTEM, {"name": "Disk", **RULE}).pk)


def alert(by: str = "") -> int:
    now_ms = round(timezone.now().timestamp() * 1000)
    made = Alert(rule_id=rule(), key="a", state="firing", since_ms=now_ms, seen_at_ms=now_ms, acknowledged_by=by)
    made.save()
    return made.pk


def incident(by: str = "", *, over: bool = False) -> int:
    made = make.incident("Outage")
    made.acknowledged_by, made.acknowledged_at = by, timezone.now() if by else None
    made.checklist = [{"text": "Look", "done_by": "", "done_at": None}]
    made.resolved_at = timezone.now() if over else None
    made.save()
    return made.pk


def note() -> int:
    return before(annotations.create(SYSTEM, "deploy").pk)


def channel() -> int:
    return before(channels.create(SYSTEM, "webhook", "pager", HOOK).pk)


def code() -> str:
    return pairing.begin("0" * 64)


def lobby() -> int:
    return before(make.screen("Lobby", "shop")[0].pk)


def silence() -> str:
    return before(silences.set(SYSTEM, parse("host=a"), None, in_hours(1), "Disks").pk.hex)


def racks() -> int:
    return before(maintenance.create(SYSTEM, parse("host=a"), window(), "Racks").pk)


def window() -> maintenance.Window:
    return maintenance.Window("UTC", in_hours(24).replace(tzinfo=None), 3600)


def schedule() -> int:
    return before(schedules.create(SYSTEM, {"name": "Ops", "layers": []}).pk)


def override() -> tuple[int, int]:
    row = schedule()
    return row, before(schedules.override(SYSTEM, row, "ada", in_hours(1), in_hours(2)).pk)


def in_hours(hours: int) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)


def picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (4, 4)).save(written, "PNG")
    return written.getvalue()


def signed_in() -> User:
    Session.objects.create(session_key="a" * 32, user=user("ada"), expire_date=in_hours(1))
    return user("ada")


def bound_token() -> list[Team]:
    make.token("night", "read", [Team.objects.get()])
    return before([Team.objects.get()])


def yaml(**fields: Any) -> str:
    return json.dumps(fields)  # which is YAML, too


def document(slug: str) -> dict[str, Any]:
    return {"slug": slug, "title": slug.title(), "widgets": []}


ACTIONS: dict[str, Callable[[Principal], object]] = {
    "create source disk": lambda by: sources.create(by, "host", "disk", 10, {}),
    "change source machine": lambda by: sources.change(by, machine(), {"every": 30}),
    "run source machine": lambda by: sources.run_now(by, machine()),
    "test source machine": lambda by: trials.try_saved(by, machine()),
    "delete source machine": lambda by: sources.delete(by, machine()),
    "create dashboard Store": lambda by: dashboards.create(by, document("store")),
    "create dashboard Copy": lambda by: dashboards.duplicate(by, "shop", "copy", "Copy"),
    "create dashboard File": lambda by: dashboard_files.create(by, yaml(**document("file"))),
    "create dashboard Put": lambda by: dashboard_files.put(by, "put", yaml(**document("put")), None),
    "create dashboard Applied": lambda by: dashboard_files.apply(
        by, dashboard_files.compare(by, {"applied": yaml(**document("applied"))})
    ),
    "create dashboard Machine": lambda by: ready_made.create(by, "host", "Machine", "machine"),
    "create dashboard Taken": lambda by: grafana_import.create(
        by, yaml(title="Taken", panels=[{"type": "text", "title": "T", "options": {"content": "x"}}])
    ),
    "change dashboard Store": lambda by: dashboards.change(by, "shop", {"title": "Store"}, None),
    "change dashboard Shop": lambda by: dashboards.add_widget(by, "shop", make.widget("more"), None),
    "change dashboard Shop: a widget": lambda by: dashboards.change_widget(
        by, "shop", widget(), {"title": "More"}, None
    ),
    "change dashboard Shop: no widget": lambda by: dashboards.delete_widget(by, "shop", widget(), None),
    "change dashboard Store: its draft": lambda by: drafts.publish(by, "shop", drafted(by)),
    "delete dashboard Shop": lambda by: dashboards.delete(by, "shop", None),
    "restore dashboard Gone": lambda by: dashboards.restore(by, deleted_dashboard()),
    "restore dashboard Shop": lambda by: dashboards.restore_revision(by, *changed_dashboard(), None),
    "upload picture": lambda by: pictures.upload(by, "shop", picture()),
    "create heartbeat nightly": lambda by: heartbeats.create(by, "nightly", every_s=60),
    "change heartbeat backup": lambda by: heartbeats.change(by, backup(), grace_s=5),
    "pause heartbeat backup": lambda by: heartbeats.pause(by, backup()),
    "rotate heartbeat backup": lambda by: heartbeats.rotate(by, backup()),
    "delete heartbeat backup": lambda by: heartbeats.delete(by, backup()),
    "create token other": lambda by: tokens.create(by, "other", "read"),
    "change token job": lambda by: tokens.set_face(by, "job", "🤖"),
    "revoke token job": lambda by: tokens.revoke(by, "job"),
    "revoke token night": lambda by: tokens.revoke_of(by, bound_token()),
    "create link lobby": lambda by: links.create(by, "shop", "lobby"),
    "revoke link desk": lambda by: links.revoke(by, "shop", Link.objects.get().pk),
    "pair screen Hall": lambda by: screens.pair(by, code(), "Hall", "shop"),
    "change screen Lobby": lambda by: screens.change(by, lobby(), {"dashboard": "", "range": "6h"}),
    "revoke screen Lobby": lambda by: screens.revoke(by, lobby()),
    "create room War room": lambda by: rooms.create(by, "War room"),
    "create room Direct": lambda by: rooms.direct(by, "ada"),
    "change room Later": lambda by: rooms.change(by, calm_room(), {"title": "Later"}),
    "close room Calm room": lambda by: rooms.close(by, calm_room()),
    "reopen room Calm room": lambda by: rooms.close(by, calm_room(closed=True), closed=False),
    "delete room Calm room": lambda by: rooms.delete(by, calm_room()),
    "edit message": lambda by: message_changes.edit(by, *said(by), "hello all"),
    "delete message": lambda by: message_changes.delete(by, *said(by)),
    "create team night": lambda by: teams.create(by, "night"),
    "change team late": lambda by: teams.rename(by, day(), "late"),
    "change team day": lambda by: teams.set_members(by, day(), User.objects.all()),
    "delete team day": lambda by: teams.delete(by, day()),
    "create invitation Grace": lambda by: users.invite(by, "editor", [], "Grace"),
    "delete invitation Hal": lambda by: users.withdraw(by, invited(by)),
    "change user ada": lambda by: users.change(by, user("ada").pk, role="viewer"),
    "change password user ada": lambda by: account.password_changed(by, user("ada")),
    "sign out user ada": lambda by: account.end(by, signed_in()),
    "change notifications user ben": lambda by: notification_settings.choose(by, ["alert"], []),
    "send notification deploy notification": lambda by: notifications.notify(by, "everyone", "deploy", "1.2 is out"),
    "watch dashboard Shop": lambda by: watches.watch(by, "dashboard", str(shop()), on=True),
    "stop watching dashboard Shop": lambda by: watches.watch(by, "dashboard", watched(by), on=False),
    "create pushsubscription Firefox": lambda by: web_push.subscribe(by, *BROWSER),
    "delete pushsubscription Firefox": lambda by: web_push.unsubscribe(by, subscribed(by)),
    "create alertwebhook pager": lambda by: alert_webhooks.create(by, "pager", {"name": "title"}),
    "change alertwebhook phone": lambda by: alert_webhooks.change(by, webhook(), "phone", None),
    "delete alertwebhook pager": lambda by: alert_webhooks.delete(by, webhook()),
    "create rule Disk": lambda by: rules.create(by, {"name": "Disk", **RULE}),
    "create rule Sent": lambda by: received_rules.of(by, ["Sent"]),
    "create rule File": lambda by: rule_files.apply(by, rule_files.compare(by, {"file": yaml(name="File", **RULE)})),
    "change rule Disk": lambda by: rules.change(by, rule(), {"severity": "critical"}),
    "delete rule Disk": lambda by: rules.delete(by, rule()),
    "acknowledge alert Disk": lambda by: alerts.acknowledge(by, alert(), "I look"),
    "acknowledge alert Disk: several": lambda by: alerts.acknowledge_all(by, [alert()], "I look"),
    "give back alert Disk": lambda by: alerts.give_back(by, alert(by.name)),
    "acknowledge incident Outage": lambda by: incidents.acknowledge(by, incident()),
    "give back incident Outage": lambda by: incidents.give_back(by, incident(by.name)),
    "hand over incident Outage": lambda by: incidents.hand_over(by, incident(), "ada"),
    "resolve incident Outage": lambda by: incidents.resolve(by, incident()),
    "reopen incident Outage": lambda by: incidents.reopen(by, incident(over=True)),
    "change incident Flood": lambda by: incidents.change(by, incident(), {"title": "Flood"}),
    "change incident Outage": lambda by: incidents.tick(by, incident(), 0),
    "create escalation everyone": lambda by: escalation_specs.put(by, "", STEPS),
    "create escalation day": lambda by: escalation_files.apply(
        by, escalation_files.compare(by, {"day": yaml(team="day", **STEPS)})
    ),
    "delete escalation everyone": lambda by: escalation_specs.reset(by, escalated()),
    "create annotation": lambda by: annotations.create(by, "deploy"),
    "change annotation": lambda by: annotations.change(by, note(), {"text": "deploy of 2"}),
    "delete annotation": lambda by: annotations.delete(by, note()),
    "create channel pager": lambda by: channels.create(by, "webhook", "pager", HOOK),
    "create channel file": lambda by: channel_files.apply(
        by,
        channel_files.compare(
            by, {"file": yaml(name="file", kind="webhook", config={**HOOK, "secret": {"env": "HOOK_SECRET"}})}
        ),
    ),
    "change channel phone": lambda by: channels.change(by, channel(), {"name": "phone"}),
    "test channel pager": lambda by: channels.test(by, channel()),
    "delete channel pager": lambda by: channels.delete(by, channel()),
    "create silence": lambda by: silences.set(by, parse("host=a"), None, in_hours(1), "Disks"),
    "expire silence": lambda by: silences.expire(by, silence()),
    "create maintenance": lambda by: maintenance.create(by, parse("host=a"), window(), "Racks"),
    "change maintenance": lambda by: maintenance.change(by, racks(), parse("host=b"), window(), "Racks", True),
    "delete maintenance": lambda by: maintenance.delete(by, racks()),
    "create schedule Ops": lambda by: schedules.create(by, {"name": "Ops", "layers": []}),
    "create schedule File": lambda by: schedule_files.apply(
        by, schedule_files.compare(by, {"file": yaml(name="File", layers=[])})
    ),
    "change schedule Net": lambda by: schedules.change(by, schedule(), {"name": "Net"}),
    "delete schedule Ops": lambda by: schedules.delete(by, schedule()),
    "override schedule Ops": lambda by: schedules.override(by, schedule(), "ada", in_hours(1), in_hours(2)),
    "end override schedule Ops": lambda by: schedules.end_override(by, *override()),
    "make link schedule Ops": lambda by: schedules.new_link(by, schedule()),
}
"""Each action with the beginning of its entry; a colon ends that where several would be the same."""

OF_OTHERS: dict[str, tuple[str, ...]] = {
    "It is a part of other actions, which write the entry.": (
        "alerts.end_all",
        "files.unsent",
        "mentions.notify_all",
        "notifications.send",
        "notifications.send_all",
        "pictures.adopt",
        "rules.add",
        "timeline.acknowledged",
        "timeline.given_back",
        "timeline.graded",
        "timeline.handed_over",
        "timeline.reopened",
        "timeline.resolved",
        "timeline.ticked",
        "watches.notify_of_change",
    ),
    "It is the journal, or the log of events beside it.": ("alert_events.did", "journal.record"),
    "The row that it writes says who did it and when; editing or deleting it is an entry.": (
        "commands.say",  # the effect of a command is an entry of that action
        "files.upload",  # of the message that names it
        "message_changes.react",
        "messages.say",
    ),
    "A program reports states, not a change that somebody makes; each change of a state is a transition.": (
        "received_alerts.receive",  # a rule that it makes is an entry, see received_rules.of
    ),
    "It notes only that something was seen.": ("sightings.see",),
    "Nobody else sees it, and nobody is told more or less because of it.": (
        "dashboard_list.choose_start_page",
        "dashboard_list.favour",
        "files.withdraw",
        "room_list.favour",
        *(  # a draft is its person's own until it is published, which is an entry
            f"drafts.{name}"
            for name in (
                "add_widget",
                "arrange_on_phones",
                "change_widget",
                "compact",
                "delete_widget",
                "discard",
                "duplicate_widget",
                "edit",
                "fit",
                "merge_newest",
                "place_widgets",
                "redo",
                "restore",
                "undo",
            )
        ),
    ),
}
"""Actions that write and are no entry of their own, by the reason."""


def shop() -> int:
    return Dashboard.objects.get(slug="shop").pk


def watched(by: Principal) -> str:
    watches.watch(by, "dashboard", str(shop()), on=True)
    return before(str(shop()))


def subscribed(by: Principal) -> int:
    return before(web_push.subscribe(by, *BROWSER).pk)


def escalated() -> str:
    escalation_specs.put(SYSTEM, "", STEPS)
    return before("")


def changed_dashboard() -> tuple[str, int]:
    dashboards.change(SYSTEM, "shop", {"description": "x"}, None)
    return before(("shop", 1))
