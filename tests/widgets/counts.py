"""Makes `static/css/counts.css`, the rules that differ in a number only: `python -m tests.widgets.counts`.

Without them, a stylesheet can neither compute with a number that the server knows, nor count rows it has no room for.
"""

import math
from collections.abc import Iterator
from pathlib import Path

FILE = Path("static/css/counts.css")
EMS_MOST = 48
ROWS_MOST = 61
COLUMNS_MOST = 47
LINES_MOST = 8
SIDE_MOST = 18
ROW_REM = 1.5
LEGEND_COLUMN_REM, LEGEND_GAP_REM, LEGEND_ROW_REM = 10, 1, 3.6
CELL_REM = (6.5, 1.55)
SUMMARY_REM = 1.5
CELL_ASPECT = 3.6

HEAD = """\
/* Made by `python -m tests.widgets.counts`, and not by hand: rules that differ in a number only. */
"""


def attributes() -> Iterator[str]:
    """Numbers from attributes, for calc()."""
    for name, first, last in (
        ("ems", 1, EMS_MOST),
        ("rows", 1, ROWS_MOST),
        ("cells", 0, SIDE_MOST),
        ("bad", 0, SIDE_MOST),
    ):
        yield "".join(f'[data-{name}="{n}"]{{--{name}:{n}}}' for n in range(first, last + 1))


def cut(of: str, rows: int, condition: str) -> str:
    """Of a list with room for so many `rows`, what is beyond goes, and how many those are stands behind the last."""
    rows_of = f".{of}>li"
    last = f"{rows_of}:nth-child({rows}):not(:last-child)"
    return (
        f"@container body {condition}{{{rows_of}:nth-child(n+{rows + 1}){{display:none}}"
        f'{last}{{padding-right:3em}}{last}::after{{content:"+" attr(data-more)}}}}'
    )


def other_than(rows: int) -> str:
    """A row, if there are fewer or more than so many `rows`."""
    return f":not(:first-child:nth-last-child({rows}),:first-child:nth-last-child({rows})~*)"


def ranked(rows_of: str, said_by: str, rows: int, height_rem: float) -> str:
    """Of a list with room for so many `rows`, what has a higher rank goes, and the last row says how many those are."""
    more = other_than(rows)
    said = f'{rows_of}[data-rank="{rows - 1}"]{more}{said_by}:not([data-more="0"])::after'
    return (
        f"@container body (max-height:{height_rem - 0.01:g}rem)"
        f'{{{rows_of}[data-rank="{rows}"]{more},{rows_of}[data-rank="{rows + 1}"]{{display:none}}'
        f'{said}{{content:attr(data-more) " more" attr(data-worse)}}}}'
    )


def single(rows_of: str, said_by: str) -> str:
    """Of a list with room for one row, the best stay out, and how many they are stands beside it."""
    said = f'{rows_of}[data-rank="1"]{other_than(1)}{said_by}:not([data-more="0"])::after'
    return (
        f"@container body (max-height:{2 * ROW_REM - 0.01:g}rem)"
        f'{{{rows_of}[data-rank="2"]{{display:none}}{said}{{content:"+" attr(data-more)}}}}'
    )


def columns() -> Iterator[str]:
    """The number of columns of a table."""
    for number in range(2, COLUMNS_MOST + 1):
        yield f".wall .tabular:has(th:nth-child({number})){{--columns:{number}}}"


def lists() -> Iterator[str]:
    """Rows by height, of lists; and of tables on walls, whose heads take a row where there is room for three."""
    for rows_of, said_by, head in ((".counted>", "[data-more]", 0), (".wall .tabular tbody>", ">[data-more]", 1)):
        for rows in range(ROWS_MOST, 1, -1):
            yield ranked(rows_of, said_by, rows, (rows + 1 + head) * ROW_REM)
        yield single(rows_of, said_by)
    only = f"(max-height:{2 * ROW_REM - 0.01:g}rem)"
    yield f"@container body {only}{{.counted>li::after{{grid-area:1/5;margin-left:.4em}}}}"


def legends() -> Iterator[str]:
    """Entries by columns and rows."""
    for entries in range(LINES_MOST, 0, -1):
        shapes = [(columns, entries // columns) for columns in range(1, entries + 1) if entries % columns == 0]
        conditions = [
            f"((max-width:{(columns + 1) * (LEGEND_COLUMN_REM + LEGEND_GAP_REM) - LEGEND_GAP_REM - 0.01:g}rem)"
            f" and (max-height:{(rows + 1) * LEGEND_ROW_REM - 0.01:g}rem))"
            for columns, rows in shapes
        ]
        yield cut("legend", entries, " or ".join(conditions))


def cells() -> Iterator[str]:
    """Columns of cells by the shape of the tile; where names would not fit into them, only those that are not up."""
    for power in range(-6, 7):
        wide = math.sqrt(2 ** (power + 0.5) / CELL_ASPECT)
        ratio = f"{2**power}/1" if power >= 0 else f"1/{2**-power}"
        yield f"@container body (min-aspect-ratio:{ratio}){{.cells{{--wide:{wide:.2f}}}}}"
    for side in range(2, SIDE_MOST + 1):
        width, height = CELL_REM
        shapes = sorted({columns for columns in (1, side // 2, side, 2 * side) if columns})
        fits = " or ".join(
            f"((min-width:{columns * width:g}rem)"
            f" and (min-height:{math.ceil(side * side / columns) * height + SUMMARY_REM:g}rem))"
            for columns in shapes
        )
        few = f'.status[data-cells="{side}"]'
        yield (
            f"@container body not ({fits}){{{few}{{--side:var(--bad)}}{few} .cell-up{{display:none}}"
            f"{few} .summary{{display:block}}"
            f'{few}[data-bad="0"]{{--summary:min(50cqh,100cqw/7);grid-template-rows:minmax(0,1fr) 0}}}}'
        )


def stylesheet() -> str:
    return "\n".join([HEAD, *attributes(), *lists(), *columns(), *legends(), *cells(), ""])


if __name__ == "__main__":
    FILE.write_text(stylesheet())
