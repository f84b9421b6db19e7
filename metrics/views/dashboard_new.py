"""The page that makes a dashboard: an empty one, a ready-made one, a copy, or one out of a file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from metrics.access.policy import CREATE, visible
from metrics.access.principal import Principal, of_visitor
from metrics.actions import dashboard_files, grafana_import, ready_made
from metrics.actions import dashboards as actions
from metrics.actions.errors import Invalid
from metrics.forms.draft import Draft
from metrics.forms.fields import Field, fields_of
from metrics.models import Dashboard, Source
from metrics.views.access import page_for
from metrics.views.dashboard_edit import NAMES, number_of, refusals
from metrics.widgets.spec import DashboardSpec

TITLE, SLUG, *OTHERS = fields_of(DashboardSpec, *NAMES)
SLUG = replace(SLUG, required=False, help="Its part of the address. Empty, it is made from the title.")
PART = "dashboard"
TEXT, SOURCE = f"{PART}-text", f"{PART}-source"
PLAIN = replace(TITLE, schema={}, required=True, nullable=False, help="")

Typed = Mapping[str, Any]
Asked = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to make a dashboard: its `title` and a sentence `about` it.

    `fields` are those of its form for what was `asked` for in the address, and `make` makes a dashboard of what was
    typed into them. `access` says who will see it, and `done` what the button does.
    """

    title: str
    about: str
    access: str
    done: str
    fields: Callable[[Principal, Asked], tuple[Field, ...]]
    make: Callable[[Principal, Typed, Asked], Dashboard]


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(CREATE, Dashboard)
def new(request: HttpRequest) -> HttpResponse:
    """Make a dashboard in the way that `?from=` names."""
    name = request.GET.get("from", "")
    name = name if name in WAYS else next(iter(WAYS))
    by, way = of_visitor(request), WAYS[name]
    asked = request.GET.dict()
    draft = Draft.of({PART: way.fields(by, asked)}, {})
    if request.method != "POST":
        return _page(request, name, draft)
    draft = replace(draft, typed=request.POST.dict())
    try:
        draft = _with_file(request, draft)
        if name == "file" and grafana_import.is_json(text := str(draft.typed.get(TEXT, ""))):
            server = draft.typed.get(SOURCE, "")
            grafana_import.check_server(by, server)
            taken = grafana_import.take(text, server)
            draft = replace(draft, typed={**draft.typed, TEXT: taken.text()})
            return _page(request, name, draft, taken)
        made = way.make(by, draft.read()[0][PART], asked)
    except Invalid as problem:
        beside = ((f"{PART}.{'text' if name == 'file' else where}", said) for where, said in refusals(problem))
        return _page(request, name, draft.refused(beside))
    if name != "empty":
        return redirect("dashboard", made.slug)
    messages.success(request, f"{made.title} is made. {way.access}")
    return redirect("dashboard-edit", made.slug)


def _page(request: HttpRequest, name: str, draft: Draft, taken: grafana_import.Taken | None = None) -> HttpResponse:
    asked = request.GET.dict()
    context = {
        "ways": WAYS,
        "chosen": name,
        "way": WAYS[name],
        "draft": draft,
        "forms": draft.forms(),
        "ready_made": ready_made.documents() if name == "ready" else {},
        "taken": taken,
        "of": asked.get("of", ""),
        "source": _source(of_visitor(request), asked) if name == "ready" else None,
    }
    wrong = bool(draft.errors or draft.above)
    return render(request, "dashboard/new.html", context, status=422 if wrong else 200)


def _with_file(request: HttpRequest, draft: Draft) -> Draft:
    """Return `draft` with the file that was sent as its text. Raises Invalid."""
    file = request.FILES.get("file")
    if file is None:
        return draft
    if (file.size or 0) > grafana_import.SIZE_MOST_BYTES:
        raise Invalid(
            "text", f"The file {file.name} has {file.size} bytes, more than {grafana_import.SIZE_MOST_BYTES}."
        )
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("text", f"The file {file.name} is not UTF-8.") from None
    return replace(draft, typed={**draft.typed, TEXT: text})


def _empty(by: Principal, typed: Typed, asked: Asked) -> Dashboard:
    return actions.create(by, {"title": "", "slug": actions.slug_for(str(typed.get("title", ""))), **typed})


def _ready_fields(by: Principal, asked: Asked) -> tuple[Field, ...]:
    if not asked.get("of"):
        return ()
    return replace(TITLE, default=ready_made.title_of(asked["of"], _source(by, asked))), SLUG


def _ready(by: Principal, typed: Typed, asked: Asked) -> Dashboard:
    name, source = asked.get("of", ""), _source(by, asked)
    title = str(typed.get("title", ready_made.title_of(name, source)))
    return ready_made.create(by, name, title, str(typed.get("slug", "")) or actions.slug_for(title), source)


def _source(by: Principal, asked: Asked) -> Source | None:
    return ready_made.find_source(by, number_of(asked.get("source")))


def _copy_fields(by: Principal, asked: Asked) -> tuple[Field, ...]:
    named = {f"{one.title} ({one.slug})": one.slug for one in visible(by, Dashboard)}
    of = replace(PLAIN, name="of", type="select", label="Dashboard", values=named)
    return of, replace(TITLE, required=False, help="Empty, it is that of the original, and “copy”."), SLUG


def _copy(by: Principal, typed: Typed, asked: Asked) -> Dashboard:
    if not typed.get("of"):
        raise Invalid("of", "There is no dashboard to copy.")
    original = Dashboard.objects.filter(slug=str(typed["of"])).first()
    if original is None or not visible(by, Dashboard).filter(pk=original.pk).exists():
        raise Invalid("of", "There is no such dashboard.")
    title = str(typed.get("title", "")) or f"{original.title[:90]}, copy"
    return actions.duplicate(by, original.slug, str(typed.get("slug", "")) or actions.slug_for(title), title)


def _file_fields(by: Principal, asked: Asked) -> tuple[Field, ...]:
    text = replace(PLAIN, name="text", type="long", required=False, label="Or its text")
    if not (servers := grafana_import.servers(by)):
        return (text,)
    help = "Asked live for what a dashboard of Grafana's shows; else its queries become such on stored series."
    named = {name: name for name in ("", *servers)}
    return text, replace(text, name="source", type="select", label="Server to ask", values=named, help=help)


def _file(by: Principal, typed: Typed, asked: Asked) -> Dashboard:
    text = str(typed.get("text", ""))
    if not text.strip():
        raise Invalid("text", "There is neither a file nor a text.")
    try:
        return dashboard_files.create(by, text)
    except Invalid as problem:
        # Each sentence names its line and its field, and all belong beside the text.
        raise Invalid("text", " ".join(said for _, said in problem.all[:5])) from None


EVERYONE = "Everyone who is signed in sees it, until you change its access."
WAYS = {
    "empty": Way(
        "Empty",
        "Begin with nothing, and add one widget after the other.",
        EVERYONE,
        "Save, and go on to its widgets",
        lambda by, asked: (TITLE, SLUG, *OTHERS),
        _empty,
    ),
    "ready": Way(
        "Ready-made",
        "A host, a database, a queue: with all that its source collects.",
        EVERYONE,
        "Make the dashboard",
        _ready_fields,
        _ready,
    ),
    "file": Way(
        "From a file",
        "YAML, as it is exported here, or a dashboard of Grafana's.",
        "It is for those whom the file names; if it names none, everyone who is signed in sees it.",
        "Make the dashboard",
        _file_fields,
        _file,
    ),
    "copy": Way(
        "A copy",
        "All widgets of a dashboard that you may see.",
        "It is for the same people as the original.",
        "Make the copy",
        _copy_fields,
        _copy,
    ),
}
