"""The API as a whole: its routers, and how it answers what goes wrong.

Every refusal has the same body: `{"detail": sentence, "errors": [{"index", "field", "message"}]}`, where
`errors` is there only if something in the request is to blame. `api` is what we describe ourselves; `foreign`,
`influxdb`, `alertmanagers` and `telemetry` have the paths of other servers, where their clients look for them.
"""

from functools import cached_property, partial
from typing import Any

from django.conf import settings
from django.urls import path
from ninja import NinjaAPI, Swagger
from ninja.openapi.schema import OpenAPISchema

from metrics.api import (
    agents,
    alert_webhooks,
    alertmanager,
    alerts,
    annotations,
    asyncapi,
    channels,
    dashboard_files,
    dashboards,
    escalations,
    file_schemas,
    files,
    heartbeats,
    incidents,
    influx,
    links,
    maintenance,
    notifications,
    on_call,
    otlp,
    pushgateway,
    remote_write,
    rooms,
    rules,
    samples,
    screens,
    search,
    series,
    silences,
    sources,
    tickets,
)
from metrics.api.alertmanager_silences import Unreadable
from metrics.api.paths import operations
from metrics.api.refusals import as_json, refuse_in


class Docs(Swagger):
    """The page that describes the API, in our template: ninja's own would load scripts from elsewhere."""

    template_cdn = str(settings.BASE_DIR / "templates" / "ninja" / "swagger.html")


class Description(OpenAPISchema):
    """A description that is made of one schema a model: the same few models answer for most operations."""

    def __init__(self, api: NinjaAPI, path_prefix: str) -> None:
        self._made: dict[Any, tuple[dict[str, Any], bool]] = {}
        super().__init__(api, path_prefix)

    def _create_schema_from_model(self, model: Any, *given: Any, **named: Any) -> tuple[dict[str, Any], bool]:
        key = (model, given, *named.items())
        if key not in self._made:
            self._made[key] = super()._create_schema_from_model(model, *given, **named)
        return self._made[key]


class DescribedOnce(NinjaAPI):
    """An API that describes itself once in a process: putting the description together takes half a second."""

    @cached_property
    def _description(self) -> OpenAPISchema:
        return Description(self, self.get_root_path({}))

    def get_openapi_schema(self, **_: Any) -> OpenAPISchema:
        return self._description


api = DescribedOnce(
    title="Watchfloor",
    version="1",
    description="Push samples, read series, manage sources and dashboards, write in rooms, notify people."
    " Sockets are described in [/api/v1/asyncapi.json](/api/v1/asyncapi.json).",
    docs=Docs({"defaultModelsExpandDepth": 0}),
    docs_url="docs",
    openapi_url="v1/openapi.json",
    urls_namespace="api",
)
api.add_router("v1", samples.router)
api.add_router("v1", remote_write.router)
api.add_router("", agents.router)
api.add_router("v1", series.router)
api.add_router("v1", sources.router)
api.add_router("v1", dashboard_files.router)
api.add_router("v1", dashboards.router)
api.add_router("v1", links.router)
api.add_router("v1", screens.router)
api.add_router("v1", heartbeats.router)
api.add_router("v1", rules.router)
api.add_router("v1", escalations.router)
api.add_router("v1", incidents.router)
api.add_router("v1", alert_webhooks.router)
api.add_router("v1", alerts.router)
api.add_router("v1", channels.router)
api.add_router("v1", silences.router)
api.add_router("v1", maintenance.router)
api.add_router("v1", annotations.router)
api.add_router("v1", on_call.router)
api.add_router("v1", rooms.router)
api.add_router("v1", files.router)
api.add_router("v1", search.router)
api.add_router("v1", notifications.router)
api.add_router("v1", tickets.router)
refuse_in(api, as_json)

foreign = NinjaAPI(title="Formats of other servers' clients", docs_url=None, openapi_url=None, urls_namespace="foreign")
foreign.add_router("", pushgateway.router)
refuse_in(foreign, partial(as_json, say=str))

influxdb = NinjaAPI(title="InfluxDB", docs_url=None, openapi_url=None, urls_namespace="influxdb")
influxdb.add_router("", influx.router)
refuse_in(influxdb, influx.as_influx)

alertmanagers = NinjaAPI(title="Alertmanager", docs_url=None, openapi_url=None, urls_namespace="alertmanager")
alertmanagers.add_router("", alertmanager.router)
alertmanagers.add_exception_handler(Unreadable, alertmanager.as_go)
refuse_in(alertmanagers, alertmanager.as_alertmanager)

telemetry = NinjaAPI(title="OpenTelemetry", docs_url=None, openapi_url=None, urls_namespace="telemetry")
telemetry.add_router("", otlp.router)
refuse_in(telemetry, otlp.as_status)

schemas = [
    path("v1/asyncapi.json", asyncapi.document, name="asyncapi-json"),
    *(
        path(f"v1/{folder}/schema.json", file_schemas.schema, {"folder": folder}, name=f"{folder}-schema")
        for folder in file_schemas.SCHEMAS
    ),
]
urls = {
    "api": operations(([*schemas, *api.urls[0]], *api.urls[1:]), as_json),
    "foreign": operations(foreign.urls, as_json),
    "influxdb": operations(influxdb.urls, influx.as_influx),
    "alertmanager": operations(alertmanagers.urls, alertmanager.as_alertmanager),
    "telemetry": operations(telemetry.urls, otlp.as_status),
}
"""URLs that `dashboard_project.urls` includes."""
