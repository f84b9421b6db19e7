"""Grafana's units as ours: words that widgets know, or what is written behind a number."""

KNOWN = {
    "percent": "percent", "percentunit": "ratio",
    "bytes": "bytes", "decbytes": "bytes", "Bps": "bytes_per_second", "binBps": "bytes_per_second",
    "bps": "bits_per_second", "binbps": "bits_per_second",
    "s": "seconds", "dtdurations": "seconds", "clocks": "seconds", "ms": "milliseconds", "dtdurationms": "milliseconds",
    "d": "days", "m": "min", "h": "h", "ns": "ns", "µs": "µs", "bits": "bit", "decbits": "bit",
    "kbytes": "KiB", "mbytes": "MiB", "gbytes": "GiB", "decmbytes": "MB", "MBs": "MB/s",
    "ops": "/s", "reqps": "requests/s", "rps": "reads/s", "wps": "writes/s", "rds": "reads/s", "iops": "I/O/s",
    "pps": "packets/s", "eps": "events/s", "cps": "/s", "errps": "errors/s", "connps": "connections/s", "rpm": "/min",
    "hertz": "Hz", "rotrpm": "rpm", "celsius": "°C", "volt": "V", "watt": "W", "mwatt": "mW", "currencyUSD": "$",
}  # fmt: skip
NONE = ("", "short", "none", "locale", "string", "bool", "bool_yes_no", "bool_on_off")
FREE = ("suffix", "count", "si")
"""Units that say what stands behind the value: `suffix:cores`."""
LENGTH_MOST = 20


def unit(id: str) -> str | None:
    """Return our unit for the one that Grafana calls `id`; None for plain numbers, and for what is no unit."""
    if id in NONE or (id.startswith(("dateTime", "time:", "prefix:", "currency")) and id not in KNOWN):
        return None
    kind, _, rest = id.partition(":")
    return KNOWN.get(id) or (rest if rest and kind in FREE else id)[:LENGTH_MOST]
