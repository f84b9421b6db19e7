"""Demo of a new installation: sources and a dashboard of this machine, and one check that fails on purpose."""

from typing import Any

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


def _widget(kind: str, title: str, config: dict[str, Any], w: int = 3, h: int = 1) -> dict[str, Any]:
    return {"kind": kind, "title": title, "config": config, "w": w, "h": h}


_HIGH = {"warn": 80, "critical": 95}

_WIDGETS = [
    _widget("number", "CPU", {"queries": _one("host_cpu_percent"), "thresholds": _HIGH, "better": "lower"}),
    _widget("number", "Memory", {"queries": _one("host_memory_percent"), "thresholds": _HIGH, "better": "lower"}),
    _widget("number", "Load, 1 minute", {"queries": _one("host_load", over="1m"), "better": "lower"}),
    _widget(
        "number",
        "Orders open",
        {
            "queries": _one("orders_open"),
            "hint": "Push the metric orders_open and it appears here at once: see “Push a number” in the README.",
        },
    ),
    _widget(
        "line",
        "CPU by core",
        {"queries": _each("host_cpu_core_percent", "core {core}"), "min": 0, "max": 100},
        w=6,
        h=2,
    ),
    _widget(
        "line",
        "Network",
        {"queries": _each("host_network_bytes_per_second", "{direction}"), "min": 0},
        w=6,
        h=2,
    ),
    _widget("status", "Checks", {"queries": _each("http_up", "{check}")}, w=4, h=2),
    _widget(
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
        w=4,
        h=2,
    ),
    _widget("line", "Disk", {"queries": _each("host_disk_bytes_per_second", "{direction}"), "min": 0}, w=4, h=2),
    _widget("number", "Tasks waiting", {"queries": _one("watchfloor_queue_depth"), "combine": "sum"}),
    _widget("number", "Tick lag", {"queries": _one("watchfloor_tick_lag_seconds"), "better": "lower"}),
    _widget("number", "Open sockets", {"queries": _one("watchfloor_sockets")}),
    _widget("number", "Render time", {"queries": _one("watchfloor_last_render_seconds"), "better": "lower"}),
]

DASHBOARD: dict[str, Any] = {
    "slug": "this-machine",
    "title": "This machine",
    "description": "The machine Watchfloor runs on, and Watchfloor itself.",
    "range": "15m",
    "widgets": _WIDGETS,
}
