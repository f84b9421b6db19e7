"""Names of fields as people write them."""

UNITS = {"_s": "seconds", "_ms": "milliseconds", "_bytes": "bytes", "_days": "days", "_percent": "percent"}
WORDS = {name.lower(): name for name in ("URL", "JSON", "SQL", "DNS", "TLS", "HTTP", "ID", "IP", "CA")}


def label(name: str) -> str:
    """Return the name of a field as people write it: `timeout_s` is "Timeout, seconds"."""
    for ending, unit in UNITS.items():
        if name.endswith(ending) and name != ending:
            return f"{label(name.removesuffix(ending))}, {unit}"
    first, *others = [WORDS.get(word, word) for word in name.split("_")]
    return " ".join([first[:1].upper() + first[1:], *others])


def one_of(label: str) -> str:
    """Return the label of an item of the list with this `label`: of "Queries" it is "Query"."""
    return f"{label[:-3]}y" if label.endswith("ies") else label.removesuffix("s")
