"""What a new installation shows: sources and a dashboard of this machine, and one check that fails on purpose."""

from typing import Any

from metrics.actions.dashboards import NewWidget

SLUG = "this-machine"
TITLE = "This machine"
SELF_CHECK = "web process"

SOURCES: list[tuple[str, str, int, dict[str, Any]]] = [
    ("this machine", "host", 2, {}),
    ("watchfloor", "watchfloor", 5, {}),
    (SELF_CHECK, "http_check", 10, {"url": "http://127.0.0.1:8000/healthz", "name": "Web process", "timeout_s": 5}),
    ("fails on purpose", "http_check", 10, {"url": "http://127.0.0.1:9/", "name": "Fails on purpose", "timeout_s": 5}),
]
"""Name, kind, seconds between two runs, config."""


def _one(metric: str, **labels: str) -> list[dict[str, Any]]:
    return [{"metric": metric, "labels": labels}]


def _each(metric: str, legend: str) -> list[dict[str, Any]]:
    return [{"metric": metric, "legend": legend}]


_HIGH = {"warn": 80, "critical": 95}

WIDGETS = [
    NewWidget("number", "CPU", {"queries": _one("host_cpu_percent"), "thresholds": _HIGH, "better": "lower"}),
    NewWidget("number", "Memory", {"queries": _one("host_memory_percent"), "thresholds": _HIGH, "better": "lower"}),
    NewWidget("number", "Load, 1 minute", {"queries": _one("host_load", over="1m"), "better": "lower"}),
    NewWidget(
        "number",
        "Orders open",
        {
            "queries": _one("orders_open"),
            "hint": "Push the metric orders_open and it appears here at once: see “Push a number” in the README.",
        },
    ),
    NewWidget(
        "line",
        "CPU by core",
        {"queries": _each("host_cpu_core_percent", "core {core}"), "min": 0, "max": 100},
        width=6,
        height=2,
    ),
    NewWidget(
        "line",
        "Network",
        {"queries": _each("host_network_bytes_per_second", "{direction}"), "min": 0},
        width=6,
        height=2,
    ),
    NewWidget("status", "Checks", {"queries": _each("http_up", "{check}")}, width=4, height=2),
    NewWidget(
        "bars",
        "In use",
        {
            "queries": [
                *_each("host_disk_percent", "{mount}"),
                *_each("host_memory_percent", "Memory"),
                *_each("host_swap_percent", "Swap"),
            ],
            "max": 100,
            "thresholds": _HIGH,
        },
        width=4,
        height=2,
    ),
    NewWidget(
        "line", "Disk", {"queries": _each("host_disk_bytes_per_second", "{direction}"), "min": 0}, width=4, height=2
    ),
    NewWidget("number", "Tasks waiting", {"queries": _one("watchfloor_queue_depth"), "combine": "sum"}),
    NewWidget("number", "Tick lag", {"queries": _one("watchfloor_tick_lag_seconds"), "better": "lower"}),
    NewWidget("number", "Open sockets", {"queries": _one("watchfloor_sockets")}),
    NewWidget("number", "Render time", {"queries": _one("watchfloor_last_render_seconds"), "better": "lower"}),
]
