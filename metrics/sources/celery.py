"""Somebody's Celery on a Redis broker: how deep its queues are, who works, and how much was done.

Depths are read from the broker. The rest is asked of the workers, as `celery inspect` does it, through the mailbox
that every worker has unless it was started without remote control.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import kombu
import redis
from kombu.pidbox import Mailbox
from kombu.transport import redis as transport
from pydantic import Field, StringConstraints

from metrics.sample import LABEL_VALUE_MOST, Sample
from metrics.sources.base import Noted, SourceError, SourceKind, left_out
from metrics.sources.databases.redis import PORT, WHO, connection_class, credentials, run
from metrics.sources.deadline import Deadline
from metrics.sources.server import NamedServerConfig, sentence

Queue = Annotated[str, StringConstraints(min_length=1, max_length=LABEL_VALUE_MOST)]

PRIORITIES = ("", *(f"\x06\x16{priority}" for priority in range(1, 10)))
"""Suffixes of a queue's name, one for each priority: kombu keeps a list for each."""
NEVER_S = 10**9
"""A client of kombu hands out again, while it waits, what was not acknowledged for longer than it thinks a task may
take. How long that is, only the application knows: so here it is longer than any."""
TASKS_MOST = 500


class CeleryConfig(NamedServerConfig):
    """Which broker, and what to look at."""

    database: int = Field(
        default=0,
        ge=0,
        le=10_000,
        title="Number of the database",
        description="Number of the database that is the broker.",
    )
    queues: list[Queue] = Field(default=["celery"], max_length=50, description="Queues whose depth to tell.")
    key_prefix: str = Field(
        default="", max_length=100, description="The application's global_keyprefix, if it has one."
    )
    workers: bool = Field(default=True, title="Ask the workers", description="Whether to ask the workers.")
    reply_s: float = Field(
        default=1, gt=0, le=10, title="Wait for workers, seconds", description="Seconds to wait for workers' answers."
    )


class Celery(SourceKind[CeleryConfig]):
    """Depth of the queues of a Celery application on Redis, its workers, and what they did."""

    kind = "celery"
    config_class = CeleryConfig
    group = "servers"

    def collect(self, config: CeleryConfig) -> Noted:
        labels, found, problems = {"server": config.label(PORT)}, list[Sample](), list[str]()
        with run(config, config.database, found) as (client, deadline):
            for depth in _depths(client, config, labels):
                if isinstance(depth, str):
                    problems.append(depth)
                else:
                    found.append(depth)
            if config.workers:
                found += _workers(config, deadline, labels)
        return Noted(found, left_out(problems))


def _depths(client: "redis.Redis", config: CeleryConfig, labels: dict[str, str]) -> Iterator[Sample | str]:
    """Yield the depth of each queue; a sentence instead for what is none, or may not be read."""
    pipe = client.pipeline(transaction=False)
    for queue in config.queues:
        for priority in PRIORITIES:
            pipe.llen(config.key_prefix + queue + priority)
    pipe.hlen(f"{config.key_prefix}unacked")
    *lengths, unacknowledged = pipe.execute(raise_on_error=False)
    for number, queue in enumerate(config.queues):
        parts = lengths[number * len(PRIORITIES) : (number + 1) * len(PRIORITIES)]
        yield _sum("celery_queue_depth", parts, {**labels, "queue": queue}, f"Queue {queue}")
    yield _sum("celery_unacknowledged", [unacknowledged], labels, f"{config.key_prefix}unacked")


def _sum(metric: str, parts: list[Any], labels: dict[str, str], what: str) -> Sample | str:
    refusal = next((part for part in parts if isinstance(part, redis.ResponseError)), None)
    if refusal is not None:
        return f"{what} can't be read ({str(refusal).rstrip('.')})."
    return Sample(metric, sum(parts), labels)


def _workers(config: CeleryConfig, deadline: Deadline, labels: dict[str, str]) -> list[Sample]:
    try:
        with _connection(config, deadline) as connection:
            mailbox = Mailbox("celery", type="fanout", connection=connection, accept=["json"], serializer="json")
            stats = _answers(mailbox.multi_call("stats", timeout=config.reply_s))
            # who is named need not be waited for once all have answered
            active = _answers(mailbox.call(list(stats), "active", timeout=config.reply_s)) if stats else {}
    except (kombu.exceptions.KombuError, redis.RedisError, OSError) as error:
        raise SourceError(sentence(WHO, error)) from None
    return [Sample("celery_workers", len(stats), labels), *_each(stats, active, labels)]


def _answers(replies: list[dict[str, Any]] | None) -> dict[str, Any]:
    return {worker: answer for reply in replies or [] for worker, answer in reply.items()}


def _each(stats: dict[str, Any], active: dict[str, Any], labels: dict[str, str]) -> Iterator[Sample]:
    for worker, answer in stats.items():
        who = {**labels, "worker": worker[:LABEL_VALUE_MOST]}
        done = _dict(answer, "total")
        for task in sorted(done)[:TASKS_MOST]:
            yield Sample("celery_tasks_total", done[task], {**who, "task": task[-LABEL_VALUE_MOST:]}, type="counter")
        running = active.get(worker)
        if isinstance(running, list):
            yield Sample("celery_tasks_running", len(running), who)
        size = _dict(answer, "pool").get("max-concurrency")
        if isinstance(size, int):
            yield Sample("celery_pool_size", size, who)


def _dict(answer: Any, name: str) -> dict[str, Any]:
    """Return what a worker says of `name`; nothing if it answers with an error, or "N/A" as one without a pool."""
    found = answer.get(name) if isinstance(answer, dict) else None
    return found if isinstance(found, dict) else {}


def _connection(config: CeleryConfig, deadline: Deadline) -> kombu.Connection:
    class Channel(transport.Channel):
        pass

    class Transport(transport.Transport):
        pass

    Channel.connection_class = connection_class(config, deadline)
    Transport.Channel = Channel
    signing_in = credentials(config)
    return kombu.Connection(
        hostname=config.host,
        port=config.port or PORT,
        userid=signing_in["username"],
        password=signing_in["password"],
        virtual_host=str(config.database),
        transport=Transport,
        transport_options={
            "global_keyprefix": config.key_prefix,
            "visibility_timeout": NEVER_S,
            "socket_timeout": config.timeout_s,
            "max_retries": 1,
        },
    )
