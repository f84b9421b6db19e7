"""Loading what the first change would wait for, as soon as a process runs and has little else to do.

An import, or an expression that is compiled, takes its time once. In the worker that draws and tells, that was most of
a second of the processor, and those who were told first waited for it. A start does not: this is a thread of its own.
Processes that are copies find most of it loaded, and share it.
"""

import threading
from collections.abc import Callable

import structlog
from celery import current_app
from django.template.loader import get_template
from django.urls import reverse

from metrics import markdown
from metrics.alerts import registry as conditions
from metrics.notify import registry as channels
from metrics.widgets import registry as widgets

log = structlog.get_logger(__name__)


def begin() -> None:
    """Load it all, in a thread that the process does not wait for."""
    threading.Thread(target=load, name="loads", daemon=True).start()


def load() -> None:
    """Load it all; what can't be loaded is logged, and will say so again to whoever needs it."""
    for part in PARTS:
        try:
            part()
        except Exception:
            log.exception("a part was not loaded ahead", part=part.__name__)


def kinds() -> None:
    """Load the plug-ins, and the templates of widgets."""
    conditions.kinds()
    channels.kinds()
    for name in ("widget", *widgets.kinds()):
        get_template(f"widgets/{name}.html")


def addresses() -> None:
    """Compile the expressions of all addresses."""
    reverse("room-here", args=[1])


def texts() -> None:
    """Load the parser of Markdown, which the timelines of incidents need too: half of all this."""
    markdown.html("**a** b")


def tasks() -> None:
    """Load what sends tasks."""
    _ = current_app.amqp.producer_pool


SHARED: tuple[Callable[[], object], ...] = (kinds, addresses, texts)
"""Parts that open no connection, so that the fork server loads them."""
PARTS: tuple[Callable[[], object], ...] = (*SHARED, tasks)
