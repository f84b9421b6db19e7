"""No module imports itself by a detour: each is whole when another one reads it, whichever is imported first."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("consumers", "dashboard_project", "metrics", "tasks")


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imported(body: list[ast.stmt]) -> Iterator[str]:
    """Yield what a module imports itself: not what functions import, nor what only types need."""
    for one in body:
        match one:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(str(module), names):
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.If(ast.Name("TYPE_CHECKING"), _, orelse):
                yield from _imported(orelse)
            case ast.If(_, body, orelse):
                yield from _imported([*body, *orelse])
            case ast.Try(body, handlers, orelse, finalbody):
                handled = [inner for handler in handlers for inner in handler.body]
                yield from _imported([*body, *handled, *orelse, *finalbody])
            case ast.ClassDef(body=body) | ast.With(body=body):
                yield from _imported(body)


def test_no_module_imports_itself_by_a_detour() -> None:
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    found = {_name(path): set(_imported(ast.parse(path.read_bytes()).body)) for path in paths}
    graph = {
        name: {one if one in found else one.rpartition(".")[0] for one in imported} & found.keys() - {name}
        for name, imported in found.items()
    }
    assert sum(map(len, graph.values())) > len(graph)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(f"{' ← '.join(error.args[1])}") from None


def test_what_is_live_is_about_topics_and_all_else_in_redis_is_not() -> None:
    """The layers keep `redis_state` from importing `live`; a module without topics belongs there."""
    modules = [path for path in (ROOT / "metrics/live").glob("*.py") if path.stem not in ("__init__", "topic")]
    imported = {path.stem: set(_imported(ast.parse(path.read_bytes()).body)) for path in modules}
    assert [name for name, of in imported.items() if not any(one.startswith("metrics.live.topic") for one in of)] == []
