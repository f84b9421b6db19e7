"""Every request to an endpoint of the API gets an answer that its description has, and never a 5xx.

Bodies are made from what the description says, and from what it forbids; configs from what their kinds say. Everything
goes through Django's own handler, into a real database and a real Redis. A test makes up its requests when it runs. For
all operations that takes seconds, which every worker that collects the tests would spend.
"""

import json
import re
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.management.commands.flush import Command
from django.core.wsgi import get_wsgi_application
from django.db import DEFAULT_DB_ALIAS
from hypothesis import HealthCheck, settings
from redis import Redis
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.generation.meta import CoveragePhaseData
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from metrics.access.principal import SYSTEM
from metrics.actions import dashboards, heartbeats
from metrics.api import api
from metrics.models import Dashboard, Heartbeat, Source
from metrics.sources import registry as sources
from metrics.widgets import registry as widgets
from tests import caches, flush, make
from tests.make import dashboard, source, stored

pytestmark = pytest.mark.django_db(transaction=True)  # what fails in a request must not fail the next

EXAMPLES = 4
RUNS_A_SOURCE = re.compile(r"^/api/v1/sources/(\{id\}/)?test$")
"""Left out: a test waits for a worker, and the worker connects to whatever address the fuzzer made up."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
CONFIG = {
    "cache": {"enabled": False},
    "seed": 1,
    "suppress-health-check": ["all"],
    "generation": {
        "deterministic": True,
        "database": "none",
        "with-security-parameters": False,
    },
}


@cache
def _schema() -> str:
    return json.dumps(api.get_openapi_schema(), default=str)


def described() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_schema())
    return found


def described_by_kind() -> dict[str, Any]:
    """The description of the API, but that configs are described as their kinds do it."""
    found = described()
    schemas = found["components"]["schemas"]
    for body, registry in (("SourceIn", sources), ("WidgetSpec", widgets)):
        general = schemas[body]
        schemas[body] = {"anyOf": [_of_kind(general, kind, schemas) for kind in sorted(registry.kinds())]}
    return found


def _of_kind(general: dict[str, Any], kind: str, schemas: dict[str, Any]) -> dict[str, Any]:
    """`general` with the config of `kind`, whose own definitions are put among `schemas`."""
    known: dict[str, Any] = {**sources.kinds(), **widgets.kinds()}
    config_class = known[kind].config_class
    config = config_class.model_json_schema(ref_template=f"#/components/schemas/{kind}_{{model}}")
    schemas.update({f"{kind}_{name}": one for name, one in config.pop("$defs", {}).items()})
    return {
        **general,
        "required": sorted({*general["required"], "kind", "config"}),
        "properties": {**general["properties"], "kind": {"const": kind}, "config": config},
    }


handler = cache(get_wsgi_application)


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """Django, which is made when it is first needed: static files are collected only after the tests are."""
    return handler()(environ, start_response)


def load(document: dict[str, Any], **phases: Any) -> Any:
    """The operations of `document`, to be asked for in `phases`."""
    loaded = schemathesis.openapi.from_dict(
        document, config=schemathesis.Config.from_dict({**CONFIG, "phases": phases})
    )
    loaded.app = application
    return loaded


@schemathesis.serializer("application/x-protobuf")
def as_bytes(context: schemathesis.SerializationContext, value: Any) -> bytes:
    """Send a body that is not JSON as bytes."""
    value = getattr(value, "data", value)
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


@pytest.fixture(autouse=True)
def _named(request: pytest.FixtureRequest) -> None:
    """Schemathesis 4.32 looks for the name of a test where pytest 9.2 no longer keeps it."""
    request.node._nodeid = request.node.nodeid


@pytest.fixture
def every() -> Any:
    """All operations."""
    document = described()
    as_file = document["paths"]["/api/v1/dashboards/{slug}.yaml"]["put"]["requestBody"]["content"]
    as_file["application/yaml"] = {"schema": {"type": "object"}}  # every form of a dashboard is asked for as JSON
    for path in list(document["paths"]):
        if RUNS_A_SOURCE.match(path):
            del document["paths"][path]
    return load(document, coverage={"unexpected-methods": []})


@pytest.fixture(params=["dashboards", "sources"])
def made(request: pytest.FixtureRequest) -> Any:
    """The operation that makes things of kinds. Every combination of what each kind forbids would be thousands."""
    path = f"/api/v1/{request.param}"
    document = described_by_kind()
    document["paths"] = {path: {"post": document["paths"][path]["post"]}}
    return load(document, coverage={"enabled": False})


class World:
    """Rows that exist, and a token that may do everything: anew for each operation."""

    def __init__(self, redis: Redis) -> None:
        self.headers: dict[str, str] = {}
        self._redis = redis
        self._operation = ""
        self._sent: set[object] = set()

    def knows(self, case: Case[Any]) -> bool:
        """Whether a request that is wrong in the same way was sent, such as with a wrong type of the same field.

        Those made up at random are all unlike.
        """
        if case.meta is None or not isinstance(case.meta.phase.data, CoveragePhaseData):
            return False
        way = case.meta.phase.data
        key = case.operation.label, way.parameter, way.description
        known = key in self._sent
        self._sent.add(key)
        return known

    def turn(self, case: Case[Any]) -> None:
        """Leave nothing to an operation of those before it: not their rows, nor limits that they reached."""
        if case.operation.label == self._operation:
            return
        self._operation = case.operation.label
        flush.empty(Command(), database=DEFAULT_DB_ALIAS)
        self._redis.flushall()
        caches.forget()
        self.headers = {
            "Authorization": f"Bearer {make.token('fuzz', 'admin')}",
            "If-Match": "*",
            "Accept-Encoding": "identity",  # which the fuzzer does not unpack
        }
        stored("orders_open", {0: 1.0, 10: 2.0}, shop="a")

    def known(self, path: str) -> int:
        """The id of something that the path is about; it is made anew after it was deleted."""
        if "/heartbeats/" in path:
            beat = Heartbeat.objects.filter(name="fuzz").first() or heartbeats.create(SYSTEM, "fuzz", every_s=60)
            return beat.pk
        if "/deleted-dashboards/" in path:
            made = Dashboard.objects.filter(slug="gone").first() or dashboard("gone")
            dashboards.delete(SYSTEM, "gone", None)
            return made.pk
        return (Source.objects.filter(name="fuzz").first() or source(name="fuzz")).pk

    def known_dashboard(self) -> str:
        """The slug of a dashboard, made anew after it was deleted or its slug was changed."""
        return (Dashboard.objects.filter(slug="fuzz").first() or dashboard("fuzz")).slug


@pytest.fixture
def world(transactional_db: None, redis: Redis) -> World:
    return World(redis)


@schemathesis.pytest.from_fixture("every").parametrize()
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))  # as tests, they don't take it from CONFIG
def test_no_request_is_answered_as_the_description_does_not_say(world: World, case: Case[Any]) -> None:
    if world.knows(case):
        return
    world.turn(case)
    id = case.path_parameters.get("id")
    if isinstance(id, int) and id % 2 == 0:  # or else hardly any request would find something
        case.path_parameters["id"] = world.known(case.path)
    if len(str(case.path_parameters.get("slug", "?"))) % 2 == 0:
        case.path_parameters["slug"] = world.known_dashboard()
    case.validate_response(case.call(headers=world.headers), checks=CHECKS)


@schemathesis.pytest.from_fixture("made").parametrize()
@settings(max_examples=2 * EXAMPLES, suppress_health_check=list(HealthCheck))  # the world is there for all examples
def test_nor_is_what_is_made_of_a_kind_with_any_config(world: World, case: Case[Any]) -> None:
    world.turn(case)
    case.validate_response(case.call(headers=world.headers), checks=CHECKS)
