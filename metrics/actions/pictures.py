"""Pictures of dashboards: uploading them, fetching them while somebody looks, and removing what nothing shows.

The people who may see a dashboard may see its pictures, and nobody else. A picture is fetched once for everybody,
however many look, and only where sources of people who are not administrators may connect to.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx
import structlog
from celery import current_app
from celery.exceptions import OperationalError
from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast
from pydantic import ValidationError
from redis import RedisError

from metrics.access.policy import CHANGE, check, visible
from metrics.access.principal import Principal
from metrics.actions import credentials, journal, variables
from metrics.actions.errors import Invalid, Missing, TooLarge, TooOften
from metrics.live import marks, watchers
from metrics.live.topic import DASHBOARD
from metrics.models import Dashboard, DraftStep, Picture, PictureFetch, Revision, Widget
from metrics.redis_state import limits, outage, slots
from metrics.sample import UNSTORABLE
from metrics.sources import network_policy
from metrics.sources.base import SourceError
from metrics.sources.http_config import HttpConfig
from metrics.times import datetime_of
from metrics.widgets.filled import with_values
from metrics.widgets.image import ImageConfig
from metrics.widgets.spec import DashboardSpec, WidgetSpec

log = structlog.get_logger(__name__)

KIND = "image"
BYTES_MOST = 10 * 1024**2
UPLOADS_BYTES_MOST = 100 * 1024**2
"""Of all that were uploaded to one dashboard."""
PER_MINUTE = 20
TIMEOUT_S = 10
TASK, QUEUE = "tasks.pictures.fetch", "collect"
UNNAMED_KEPT = timedelta(days=1)
"""A picture that was uploaded is kept so long for the draft that is to name it."""
REPLACED_KEPT = timedelta(minutes=10)
"""Pages that are behind still ask for a picture that was replaced."""
FETCHES_KEPT = timedelta(days=7)
PROBLEM_MOST = 300
SEALED = "sealed:"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture to fetch for a dashboard (id): where, and as whom; the `password` is sealed."""

    dashboard: int
    url: str
    username: str = ""
    password: str = ""

    @property
    def key(self) -> str:
        """Key of a widget's config that shows it."""
        return ImageConfig(url=self.url, username=self.username, password=self.password).key


# --- Uploading --------------------------------------------------------------------------------------------


def upload(by: Principal, slug: str, data: bytes) -> Picture:
    """Keep a picture for the dashboard `slug`, made anew; the same once more is the one that there is.

    Raises Missing, Forbidden, Invalid, TooLarge or TooOften.
    """
    dashboard = _find(by, slug)
    check(by, CHANGE, dashboard)
    if len(data) > BYTES_MOST:
        raise TooLarge("file", f"file: a picture has at most {BYTES_MOST // 1024**2} MB.")
    if wait_s := limits.spend(f"pictures:{by.name}", 1, PER_MINUTE, time.time()):
        raise TooOften(f"You may upload {PER_MINUTE} pictures in a minute.", wait_s)
    made = _made(dashboard, data, uploaded=True)
    if made is None:
        raise Invalid("file", "file: this is no picture that can be read; PNG, JPEG, WebP and GIF can.")
    with transaction.atomic():
        Dashboard.objects.select_for_update(no_key=True).get(pk=dashboard.pk)  # they are counted in turn
        known = Picture.objects.filter(dashboard=dashboard, hash=made.hash).defer("data").first()
        if known is None or not known.uploaded:  # those that were fetched have no limit
            _check_room(dashboard, made.size)
        if known is None:
            made.save()
        else:
            Picture.objects.filter(pk=known.pk).update(uploaded=True, at=made.at)
        if known is None or not known.uploaded:
            after = {"dashboard": dashboard.title, "type": made.type, "size": made.size}
            journal.record(by, "upload", known or made, after=after)
    return known or made


def find(by: Principal, slug: str, hash: str) -> Picture:
    """Return a picture of a dashboard that `by` may see. Raises Missing."""
    found = Picture.objects.filter(dashboard=_find(by, slug), hash=hash).first()
    if found is None:
        raise Missing("There is no such picture on this dashboard.")
    return found


def adopt(by: Principal, dashboard: Dashboard, widgets: Sequence[WidgetSpec]) -> None:
    """Give `dashboard` the uploaded pictures that its `widgets` name, of other dashboards that `by` may see.

    Raises TooLarge. The dashboard is locked until the transaction ends.
    """
    wanted = {str(one.config.get("picture") or "") for one in widgets if one.kind == KIND} - {""}
    missing = wanted - set(Picture.objects.filter(dashboard=dashboard, hash__in=wanted).values_list("hash", flat=True))
    if not missing:
        return
    Dashboard.objects.select_for_update(no_key=True).get(pk=dashboard.pk)  # as for an upload
    others = visible(by, Dashboard).order_by().values("pk")
    for one in Picture.objects.filter(uploaded=True, hash__in=missing, dashboard__in=others):
        if one.hash in missing:
            missing.discard(one.hash)
            _check_room(dashboard, one.size, "widgets")
            one.pk, one.dashboard, one.at = None, dashboard, datetime.now(UTC)
            one.save(force_insert=True)


def _find(by: Principal, slug: str) -> Dashboard:
    seen = visible(by, Dashboard)
    found = seen.filter(slug=slug).first() or seen.filter(former_slugs=slug).first()
    if found is None:
        raise Missing(f"There is no dashboard {slug!r}.")
    return found


def _check_room(dashboard: Dashboard, size: int, field: str = "file") -> None:
    used = Picture.objects.filter(dashboard=dashboard, uploaded=True).aggregate(sum=Sum("size"))["sum"] or 0
    if used + size > UPLOADS_BYTES_MOST:
        most = UPLOADS_BYTES_MOST // 1024**2
        what = "it" if field == "file" else "all that are named"
        raise TooLarge(
            field, f"{field}: the pictures of this dashboard have {most} MB together, and no room for {what}."
        )


def _made(dashboard: Dashboard, data: bytes, *, uploaded: bool) -> Picture | None:
    """Return a picture, not saved yet, of what `data` is; None if it is none. Raises TooLarge."""
    from metrics import pictures  # not above: processes that see no picture need no Pillow

    try:
        made = pictures.remade(data, still=True)
    except pictures.TooLargeError as problem:
        raise TooLarge("file", f"file: {problem}") from None
    if made is None:
        return None
    return Picture(
        dashboard=dashboard,
        hash=hashlib.sha256(made.data).hexdigest(),
        type=made.type,
        size=len(made.data),
        width=made.width,
        height=made.height,
        data=made.data,
        uploaded=uploaded,
        at=datetime.now(UTC),
    )


# --- Passwords --------------------------------------------------------------------------------------------


def with_sealed_password(config: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the config of a picture with its password as it is kept: for its address alone, and not to be read.

    Raises Invalid if it was given for another address, or if the host is one that viewers choose.
    """
    given = str(config.get("password") or "")
    if not given or not config.get("url"):
        return {name: value for name, value in config.items() if name != "password"}
    if "$" in urlsplit(str(config["url"])).netloc:
        raise Invalid(where, f"{where}: it is for one host, so the address names that without a variable.")
    origin = _origin(str(config.get("url") or ""))
    if not given.startswith(SEALED):
        return {**config, "password": SEALED + credentials.seal({"for": origin, "password": given})}
    try:
        if credentials.unseal(given.removeprefix(SEALED)).get("for") == origin:
            return dict(config)
    except credentials.LostKey:
        return dict(config)  # of another installation; fetching says so
    raise Invalid(where, f"{where}: it was given for another address; type it again.")


def _password(wanted: Wanted) -> str:
    """Return the password to send. Raises SourceError."""
    if not wanted.password:
        return ""
    try:
        found = credentials.unseal(wanted.password.removeprefix(SEALED))
    except credentials.LostKey:
        raise SourceError("The password of this picture can't be read here; type it again.") from None
    if found.get("for") != _origin(wanted.url):
        raise SourceError("The password of this picture is for another address; type it again.")
    return str(found.get("password", ""))


def _origin(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return ""
    return f"{parsed.scheme}://{parsed.netloc.decode()}"


# --- Fetching ---------------------------------------------------------------------------------------------


def due(now: float) -> list[tuple[Wanted, int]]:
    """Claim and return the pictures that are to be fetched `now` (Unix seconds), and for how many seconds that counts.

    They are those of the dashboards that somebody looks at, each once in its period.
    """
    watched = [one for one in watchers.watched(now) if one.kind == DASHBOARD]
    if not watched:
        return []
    with_images = Widget.objects.filter(kind=KIND, dashboard__in={one.id for one in watched}).order_by()
    widgets = Widget.objects.filter(dashboard__in=with_images.values("dashboard")).select_related("dashboard")
    of_dashboard: dict[int, list[Widget]] = {}
    for widget in widgets:  # also those without a picture: a section may repeat those that have one
        of_dashboard.setdefault(widget.dashboard_id, []).append(widget)
    periods: dict[Wanted, int] = {}
    for dashboard, chosen in {(one.id, one.chosen) for one in watched if one.id in of_dashboard}:
        rows = of_dashboard[dashboard]
        drawn = variables.drawn(rows[0].dashboard, rows, chosen)
        for wanted, every_s in _wanted([one for one in drawn if one.kind == KIND]):
            periods[wanted] = min(every_s, periods.get(wanted, every_s))
    found = [(_slot(wanted, every_s, now), (wanted, every_s)) for wanted, every_s in periods.items()]
    claimed = slots.claim([slot for slot, _ in found], now)
    return [one for (_, one), is_ours in zip(found, claimed, strict=True) if is_ours]


def ask(dashboard: Dashboard, spec: DashboardSpec) -> None:
    """Have the pictures of `spec` fetched that were not yet, once the transaction is committed.

    Variables have their defaults, as while it is edited.
    """
    widgets = [Widget(dashboard=dashboard, **one.model_dump()) for one in spec.widgets if one.kind == KIND]
    if not widgets:
        return
    choices = variables.choices(dashboard, "", spec.variables)
    rows = [with_values(one, choices) for one in widgets]
    wanted = {one.key: one for one, _ in _wanted(rows)}
    known = PictureFetch.objects.filter(dashboard=dashboard, key__in=wanted.keys()).values_list("key", flat=True)
    for key in wanted.keys() - set(known):
        transaction.on_commit(partial(_send, wanted[key]))


def fetch(wanted: Wanted) -> None:
    """Fetch a picture, keep it, and have what shows it drawn anew. A failure is noted, and raises no exception."""
    dashboard = Dashboard.objects.filter(pk=wanted.dashboard).first()
    if dashboard is None:
        return
    with slots.hold(f"picture:{wanted.dashboard}:{wanted.key}", TIMEOUT_S + 20) as alone:
        if not alone:
            return
        if not connection.in_atomic_block:
            connection.close()  # what hangs must not keep one of the few connections from others
        picture, problem = None, ""
        try:
            picture = _made(dashboard, _requested(wanted), uploaded=False)
            if picture is None:
                problem = (
                    f"{_config(wanted, '').where} answered no picture that can be read: no PNG, JPEG, WebP or GIF."
                )
        except network_policy.Forbidden as error:
            problem = f"{str(error).partition(';')[0]}; no picture is fetched from there."
        except (SourceError, TooLarge) as error:
            problem = str(error).removeprefix("file: ")
        _note(dashboard, wanted.key, picture, UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", problem)[:PROBLEM_MOST])
        _show(dashboard)


def _wanted(widgets: Sequence[Widget]) -> Iterator[tuple[Wanted, int]]:
    """Yield what `widgets` have to be fetched, and how often (seconds)."""
    for one in widgets:
        try:
            config = ImageConfig.model_validate(one.config)
        except ValidationError:
            continue
        if config.url and one.dashboard_id is not None:
            yield Wanted(one.dashboard_id, config.url, config.username, config.password), config.fetch_every_s


def _slot(wanted: Wanted, every_s: int, now: float) -> slots.Slot:
    name = f"picture:{wanted.dashboard}:{wanted.key}:{every_s}"
    return slots.Slot(name, now // every_s * every_s, 2 * every_s + 60)


def _send(wanted: Wanted) -> None:
    try:
        current_app.send_task(TASK, kwargs=asdict(wanted), queue=QUEUE, expires=60)
    except (RedisError, OperationalError) as error:
        outage.log("a picture is not fetched", error)


def _config(wanted: Wanted, password: str) -> HttpConfig:
    return HttpConfig.model_validate(
        {"url": wanted.url, "username": wanted.username, "password": password, "timeout_s": TIMEOUT_S}
    )


def _requested(wanted: Wanted) -> bytes:
    """Return what the address answers. Raises SourceError."""
    from metrics.sources import fetch as http  # not above: processes that fetch nothing need no client

    config = _config(wanted, _password(wanted))

    async def request(client: httpx.AsyncClient) -> http.Answer:
        return await http.fetch(client, config, BYTES_MOST, headers={"Accept": "image/*"})

    with network_policy.limited():
        return http.good(http.run(config, request), config).body


def _note(dashboard: Dashboard, key: str, picture: Picture | None, problem: str) -> None:
    now = datetime.now(UTC)
    try:
        with transaction.atomic():
            changes: dict[str, Any] = {"tried_at": now, "problem": problem}
            if picture is not None:
                known = Picture.objects.filter(dashboard=dashboard, hash=picture.hash).defer("data").first()
                if known is None:
                    picture.save()
                else:
                    Picture.objects.filter(pk=known.pk).update(at=now)
                changes |= {"picture": known or picture, "fetched_at": now}
            PictureFetch.objects.update_or_create(dashboard=dashboard, key=key, defaults=changes)
            _replaced(now).filter(dashboard=dashboard).delete()
    except IntegrityError:  # the dashboard was deleted, or an upload of the same was faster; the next time comes soon
        log.info("picture not kept", dashboard=dashboard.pk)


def _show(dashboard: Dashboard) -> None:
    try:
        watched = [one for one in watchers.watched(time.time()) if one.id == dashboard.pk]
        keys = list(Widget.objects.filter(dashboard=dashboard, kind=KIND).values_list("key", flat=True))
        if watched and keys:
            marks.mark_each(dict.fromkeys(watched, keys))
    except RedisError as error:
        outage.log("open pages were not told", error)


# --- Removing ---------------------------------------------------------------------------------------------


def prune(now: float) -> None:
    """Remove pictures that nothing shows: replaced ones, and uploaded ones that nothing names that can be restored."""
    at = datetime_of(now)
    PictureFetch.objects.filter(tried_at__lt=at - FETCHES_KEPT).delete()
    _replaced(at).delete()
    old = Picture.objects.filter(uploaded=True, at__lt=at - UNNAMED_KEPT).defer("data")
    for one in old.order_by("pk").iterator():
        if not _is_named(one):
            Picture.objects.filter(pk=one.pk, at=one.at).delete()  # unless it was uploaded once more just now


def _replaced(now: datetime) -> QuerySet[Picture]:
    return Picture.objects.filter(uploaded=False, fetches=None, at__lt=now - REPLACED_KEPT)


def _is_named(picture: Picture) -> bool:
    """Return whether a revision, or a step of a draft, of its dashboard names `picture`."""
    text = Cast("spec", TextField())
    rows: tuple[QuerySet[Any], ...] = (
        Revision.objects.filter(dashboard=picture.dashboard_id),
        DraftStep.objects.filter(draft__dashboard=picture.dashboard_id),
    )
    return any(one.alias(text=text).filter(Q(text__contains=picture.hash)).exists() for one in rows)
