"""Every action that writes writes an entry of the journal, or it is known where that is."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.actions import journaled

METRICS = Path(__file__).parents[2] / "metrics"
WRITES = {
    "abulk_create",
    "atomic",
    "bulk_create",
    "bulk_update",
    "get_or_create",
    "save",
    "select_for_update",
    "update_or_create",
}
"""Methods of models, queries and transactions that nothing else has."""
Function = ast.FunctionDef | ast.AsyncFunctionDef
Module = tuple[str, dict[str, str]]
"""The name of a module, and what each name in it that is imported stands for."""


def test_every_action_that_writes_is_tried_or_its_entry_is_elsewhere() -> None:
    elsewhere, found = [name for names in journaled.OF_OTHERS.values() for name in names], written()
    assert sorted(found - tried() - {*elsewhere}) == []
    assert sorted(elsewhere) == sorted(found.intersection(elsewhere) - tried())


def tried() -> set[str]:
    """Return the actions that `ACTIONS` tries, such as sources.create."""
    table = next(
        one
        for one in ast.parse(Path(journaled.__file__).read_text()).body
        if isinstance(one, ast.AnnAssign) and ast.unparse(one.target) == "ACTIONS"
    )
    calls = (one for one in ast.walk(table) if isinstance(one, ast.Call) and one.args)
    return {ast.unparse(one.func) for one in calls if ast.unparse(one.args[0]) == "by"}


def written() -> set[str]:
    """Return the actions that write: public functions that take the principal first and lead to a write of a row."""
    known = dict(_functions())
    writes = {name for name, (_, body) in known.items() if any(map(_is_write, ast.walk(body)))}
    calls = {name: known.keys() & set(_named(*of)) for name, of in known.items()}
    while new := {name for name in known.keys() - writes if calls[name] & writes}:
        writes |= new
    return {
        name.removeprefix("metrics.actions.")
        for name in writes
        if name.startswith("metrics.actions.") and _takes_principal(known[name][1])
    }


def _functions() -> Iterator[tuple[str, tuple[Module, Function]]]:
    for path in METRICS.rglob("*.py"):
        if path.parent.name == "migrations":
            continue
        name = ".".join(path.relative_to(METRICS.parent).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text())
        imported = {
            one.asname or one.name: f"{statement.module}.{one.name}"
            for statement in ast.walk(tree)
            if isinstance(statement, ast.ImportFrom)
            for one in statement.names
        }
        for one in tree.body:
            if isinstance(one, Function):
                yield f"{name}.{one.name}", ((name, imported), one)


def _named(module: Module, body: Function) -> Iterator[str]:
    """Yield the functions that `body` names, called or handed on."""
    name, imported = module
    for one in ast.walk(body):
        if isinstance(one, ast.Name):
            yield imported.get(one.id, f"{name}.{one.id}")
        elif isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name):
            yield f"{imported.get(one.value.id, '')}.{one.attr}"


def _is_write(node: ast.AST) -> bool:
    """Return whether it is how a row is written: a method of a model, a query or a transaction."""
    if isinstance(node, ast.Attribute) and node.attr in WRITES:
        return True
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    match node.func.attr:
        case "update":  # a dict's has no names
            return bool(node.keywords)
        case "delete":
            return not node.args and not node.keywords
        case "add" | "set":  # of many things to one, as in thing.teams.set(…)
            return isinstance(node.func.value, ast.Attribute) and bool(node.args)
        case "create":
            return isinstance(node.func.value, ast.Attribute)  # Model.objects, not a module
    return False


def _takes_principal(function: Function) -> bool:
    first = [*function.args.posonlyargs, *function.args.args][:1]
    is_public = not function.name.startswith("_")
    return is_public and any("Principal" in ast.unparse(one.annotation or ast.Constant(None)) for one in first)
