"""Live queries: having the servers asked that open widgets show, once for all who watch, and keeping the answers.

Rendering asks for what is not answered yet and goes on; a worker asks, and marks the widgets that wait for the answer.
Nothing asks for what nobody looks at.
"""

import asyncio
import math
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import structlog
from pydantic import PrivateAttr, ValidationError

from metrics.actions import credentials
from metrics.actions.errors import sentence
from metrics.live import marks
from metrics.live.topic import Topic
from metrics.models import Source, Widget
from metrics.redis_state import live_queries as state
from metrics.redis_state import outage
from metrics.redis_state.live_queries import Answer, Question
from metrics.sample import UNSTORABLE
from metrics.sources import fetch, network_policy, promql_api
from metrics.sources.base import SourceError
from metrics.sources.promql import PromqlConfig
from metrics.widgets import live_queries as live
from metrics.widgets.render import live_questions
from metrics.widgets.repeated import origin

log = structlog.get_logger(__name__)

AT_ONCE = 8
"""Questions that one server is asked at once."""
ROUND_S = 45
"""After so many seconds no new question is begun: the lock of who asks has to outlive all of them."""
LOOK_S = 0.05
OVERLAP_S = 120
"""How much of what was answered is asked for again, since it may have come late to the server."""
SERIES_MOST = 1000
WAIT_S = 10.0
LABELS_WAIT_S = 1.0
PAST_S = 90
"""How old a moment is from which on it is asked for by itself, and not as the present one."""
FAILED_S = 30
"""Failed questions are asked again after so many seconds, also where the steps of a range are longer."""
TEXT_MOST = 500


Key = tuple[tuple[str, str], ...]
"""Labels of a series, in order."""


class Server(PromqlConfig):
    """A server as pages call it: sentences on widgets tell the name of its source, and not its address."""

    _name: str = PrivateAttr(default="")

    @property
    def where(self) -> str:
        return self._name


# --- Asking for answers -----------------------------------------------------------------------------------


def ask(widgets: Sequence[Widget], range: str, at: float, variant: Topic) -> None:
    """Have asked what `widgets` show and is not answered yet; they are marked in `variant` once it is."""
    asked = live_questions(widgets, range, at)
    by = _by([(question, f"{variant} {origin(widget.key)}") for widget, of_one in asked for question in of_one])
    try:
        known = state.answers(by)
        state.keep(known)
        state.ask([one for one in by if not _is_answered(one, known.get(one))], by)
    except outage.TROUBLE as error:
        outage.log("live queries not asked", error)


def wait(
    widgets: Sequence[Widget],
    range: str,
    at: float,
    now: float,
    hidden: Collection[int] | None = None,
    *,
    fine: bool = False,
    most_s: float = WAIT_S,
) -> None:
    """Do what `ask` does for somebody who waits, until all is answered or `most_s` seconds are over.

    `hidden` and `fine` are as for `live_questions`.
    """
    asked = live_questions(widgets, range, at, hidden, fine=fine)
    answered([question for _, of_one in asked for question in of_one], now, most_s)


def answered(questions: Iterable[Question], now: float, most_s: float = WAIT_S) -> None:
    """Have `questions` asked, and wait until they are answered, or `most_s` seconds are over."""
    asked = [replace(one, fixed=one.end < now - PAST_S - one.step_s) for one in questions]
    try:
        known = state.answers(asked)
        left = [one for one in asked if not _is_answered(one, known.get(one))]
        state.ask(left, {})
        until = time.monotonic() + most_s
        while left and time.monotonic() < until and state.are_waiting(left):
            time.sleep(LOOK_S)
    except outage.TROUBLE as error:
        outage.log("live queries not asked", error)


def label_values(source: str, label: str, metric: str, hidden: Collection[int], now: float) -> list[str]:
    """Return the values of `label` at the server of the source of this name, as far as they are known.

    They are waited for only if they never were; newer ones come later. There are none of a source that is `hidden`.
    """
    found = live.servers([source], hidden).get(source)
    question = live.of_label(found, label, metric, now) if found else None
    if question is None:
        return []
    try:
        is_known = bool(state.answers([question]))
        answered([question], now, 0 if is_known else LABELS_WAIT_S)
        known = state.answers([question]).get(question)
    except outage.TROUBLE as error:
        outage.log("values of a label not asked", error)
        return []
    return known.values if known else []


def _by(pairs: Iterable[tuple[Question, str]]) -> dict[Question, list[str]]:
    found: dict[Question, list[str]] = {}
    for question, name in pairs:
        found.setdefault(question, []).append(name)
    return found


def _is_answered(question: Question, answer: Answer | None) -> bool:
    if answer is None or answer.tried < question.end:
        return False
    return not answer.error or time.time() < answer.failed_at + FAILED_S


# --- Answering --------------------------------------------------------------------------------------------


def answer(source: int) -> None:
    """Ask the server of `source` (id) what waits for it, until nothing does; on a collecting worker."""
    while state.waiting(source):
        with state.hold(source) as alone:
            if not alone:
                return
            _answer_waiting(source)


def _answer_waiting(pk: int) -> None:
    source = Source.objects.filter(pk=pk).first()
    try:
        server, secret = _server(source)
    except SourceError as problem:
        said = Answer(0, error=str(problem), failed_at=time.time())
        _keep([(one, msgspec.structs.replace(said, tried=one.end)) for one in state.waiting(pk)])
        return
    trusted = source is not None and source.trusted
    with nullcontext() if trusted else network_policy.limited():
        asyncio.run(_ask_all(pk, server, secret))


def _server(source: Source | None) -> tuple[Server, dict[str, Any]]:
    """Return the server of `source` and its credentials. Raises SourceError."""
    if source is None or not source.enabled:
        raise SourceError("The source is off.")
    try:
        secret = credentials.read(source.secrets)
        server = Server.model_validate({**source.config, **secret})
    except credentials.LostKey as problem:
        raise SourceError(str(problem)) from None
    except ValidationError as problem:
        raise SourceError(f"{source.name}: {sentence(problem, 'config')[1]}") from None
    server._name = f"The source {source.name}"
    return server, secret


async def _ask_all(source: int, server: Server, secret: dict[str, Any]) -> None:
    """Ask all that waits, and what comes meanwhile, `AT_ONCE` at once: one that hangs keeps none of the others."""
    running: dict[asyncio.Task[Answer], Question] = {}
    queue: list[Question] = []
    until, look_at = time.monotonic() + ROUND_S, 0.0
    async with network_policy.client(server.timeout_s, verify=server.verify) as client:
        while True:
            now = time.monotonic()
            if not queue and len(running) < AT_ONCE and look_at <= now < until:
                look_at = now + LOOK_S
                queue = [one for one in state.waiting(source) if one not in running.values()]
            free = AT_ONCE - len(running) if now < until else 0
            fresh, queue = queue[:free], queue[free:]
            before = state.answers(fresh)
            for one in fresh:
                running[asyncio.create_task(_found(client, server, secret, one, before.get(one)))] = one
            if not running:
                return
            done, _ = await asyncio.wait(running, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            _keep([(running.pop(task), task.result()) for task in done])


async def _found(
    client: httpx.AsyncClient, server: Server, secret: dict[str, Any], question: Question, before: Answer | None
) -> Answer:
    if before is not None and _is_answered(question, before):  # asked by two at about the same time
        return before
    found = await _answer(client, server, question, before)
    if not found.error:
        return found
    error = UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", credentials.hide(found.error, secret))[:TEXT_MOST]
    earlier = before or Answer(0)
    return msgspec.structs.replace(earlier, tried=question.end, notes=[], error=error, failed_at=time.time())


async def _answer(client: httpx.AsyncClient, server: Server, question: Question, before: Answer | None) -> Answer:
    """Return the answer, or one with only an error."""
    what = _values if question.label else _range if question.span_s else _instant
    try:
        async with asyncio.timeout(server.timeout_s):
            return await what(client, server, question, before)
    except SourceError as problem:
        error = str(problem)
    except fetch.ERRORS as problem:
        error = f"{server.where} {fetch.reason(problem, server.timeout_s)}."
    except promql_api.STRANGE:
        error = f"{server.where} answered in a form that is not known here."
    return Answer(question.end, error=error)


def _keep(found: Sequence[tuple[Question, Answer]]) -> None:
    """Store answers, and mark the widgets that wait for them."""
    changed: dict[Topic, set[str]] = {}
    for name in state.store(found):
        variant, _, widget = name.rpartition(" ")
        changed.setdefault(Topic.parse(variant), set()).add(widget)
    marks.mark_each(changed)


# --- Three questions --------------------------------------------------------------------------------------


async def _instant(client: httpx.AsyncClient, server: Server, question: Question, before: Answer | None) -> Answer:
    parameters = {"query": question.text, "time": f"{question.end:.0f}", **_limits(server)}
    found = await _told(client, server, "/api/v1/query", parameters)
    if found["data"]["resultType"] == "matrix":
        raise SourceError("The query is of a range of time; a function such as rate makes values of it.")
    values = {labels: list(points) for labels, points in _series(found, server)}
    series = [(dict(labels), [_finite(points[-1][1])]) for labels, points in values.items() if points]
    return Answer(question.end, question.end, question.end, series, promql_api.warnings(found))


async def _range(client: httpx.AsyncClient, server: Server, question: Question, before: Answer | None) -> Answer:
    """Ask for the steps since the last answer, and a few before them; for all without one that reaches so far."""
    step_s, start = question.step_s, question.end - question.span_s
    since = start
    if before is not None and before.end and before.start <= start <= before.end <= question.end:
        since = max(start, math.ceil((before.end - OVERLAP_S) / step_s) * step_s)
    parameters = {
        "query": question.text,
        "start": f"{since:.0f}",
        "end": f"{question.end:.0f}",
        "step": str(step_s),
        **_limits(server),
    }
    found = await _told(client, server, "/api/v1/query_range", parameters)
    count, known = round(question.span_s / step_s) + 1, round((since - start) / step_s)
    merged: dict[Key, list[float | None]] = {}
    if known and before is not None:
        skipped = round((start - before.start) / step_s)
        for labels, values in before.series:
            kept = values[skipped : skipped + known]
            merged[tuple(sorted(labels.items()))] = [*kept, *[None] * (count - len(kept))]
    answered = _series(found, server)
    for key, points in answered:
        values = merged.setdefault(key, [None] * count)
        for at, value in points:
            place = round((at - start) / step_s)
            if 0 <= place < count:
                values[place] = _finite(value)
    there = {key for key, values in merged.items() if any(one is not None for one in values)} | dict(answered).keys()
    series = [(dict(key), values) for key, values in merged.items() if key in there]
    return Answer(question.end, start, question.end, series, promql_api.warnings(found))


async def _values(client: httpx.AsyncClient, server: Server, question: Question, before: Answer | None) -> Answer:
    parameters = {"match[]": question.text} if question.text else {}
    found = await _told(client, server, f"/api/v1/label/{question.label}/values", parameters)
    values = [str(one) for one in list(found["data"])[:SERIES_MOST]]
    return Answer(question.end, question.end, question.end, values=values)


async def _told(client: httpx.AsyncClient, server: Server, path: str, parameters: dict[str, str]) -> dict[str, Any]:
    return await promql_api.ask(client, server, path, parameters, "the query")


def _series(found: dict[str, Any], server: Server) -> list[tuple[Key, Iterator[tuple[float, float]]]]:
    """Return labels and points of each series. Raises SourceError if they are too many, and what is strange."""
    if found["data"]["resultType"] == "string":
        raise SourceError("The query answers a text, and no numbers.")
    series = [(tuple(sorted(labels.items())), points) for labels, points in promql_api.series(found["data"])]
    if len(series) > SERIES_MOST:
        raise SourceError(
            f"{server.where} answers {len(series)} series, more than {SERIES_MOST}; "
            "choose fewer by labels, or sum them, or take the largest with topk."
        )
    return series


def _limits(server: Server) -> dict[str, str]:
    """Have the server give up when we do."""
    return {"timeout": f"{server.timeout_s:g}s"}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
