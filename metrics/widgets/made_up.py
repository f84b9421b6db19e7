"""Facts that there are not, for examples and the gallery."""

import math

from metrics.alerts import matchers
from metrics.widgets import bad_alert, on_call, untold
from metrics.widgets.annotated import INCIDENT, Noted
from metrics.widgets.bad_alert import made_up
from metrics.widgets.facts import Facts
from metrics.widgets.maintained import Maintained
from metrics.widgets.on_call import Duty
from metrics.widgets.untold import Quiet

LONG_NAME = "A name as long as somebody might write it, and then a little longer than that"
LONG_WHO = "somebody-with-a-very-long-name@example.org"
KINDS = list(untold.WORDS)


def facts_at(at: float) -> Facts:
    """Return some of each, as they would be at `at` (Unix seconds)."""
    return Facts(alerts=bad_alert.examples(at), on_call=on_call.examples(at), untold=untold.examples(at))


def little(at: float) -> Facts:
    """Return hardly any."""
    return Facts(alerts=[], on_call=[Duty(1, "Databases", (), ("Ada Lovelace",), at + 7200, ("Bob Ray",))], untold=[])


def much(at: float, servers: tuple[str, ...]) -> Facts:
    """Return some of each for all of `servers`."""
    return Facts(
        alerts=[
            made_up(
                number,
                "Disk full",
                server,
                "warning" if number else "critical",
                incident=max(8, number),
                since=at - 300,
            )
            for number, server in enumerate(servers)
        ],
        on_call=[
            Duty(
                number, server, (), ("Ada Lovelace", "Bob Ray") if number % 4 else (), at + 3600 * (number + 1), ("Cy",)
            )
            for number, server in enumerate(servers)
        ],
        untold=[
            Quiet(
                KINDS[number % len(KINDS)],
                f"Disk full: {server}",
                "/silences/",
                "The new disks come on Monday.",
                "ada",
                at - 86_400 + 600 * number,
                at + 3600,
                number % 5,
            )
            for number, server in enumerate(2 * servers)
        ],
    )


def absurd(at: float, name: str) -> Facts:
    """Return what is as long as it may be; `name` begins those of hosts."""
    return Facts(
        alerts=[
            made_up(
                number,
                2 * LONG_NAME,
                f"{name}{number:03}",
                "critical",
                value=-1.2345678e21,
                unit="wonderful things/s",
                who=LONG_WHO,
                since=at - 90 * 86_400,
            )
            for number in range(40)
        ],
        on_call=[
            Duty(
                number,
                f"{LONG_NAME} {number:03}",
                (),
                () if number % 2 else (LONG_WHO, "Ada Lovelace", LONG_WHO[::-1]),
                at + 59 * 86_400,
                (LONG_WHO, LONG_WHO[::-1]),
                "" if number % 3 else "The calendar can't be read (404 Not Found).",
            )
            for number in range(40)
        ],
        untold=[
            Quiet(
                KINDS[number % len(KINDS)],
                f"{2 * LONG_NAME} {number:03}",
                "/silences/",
                5 * LONG_NAME,
                LONG_WHO,
                at - 399 * 86_400,
                at + 399 * 86_400,
                123_456,
            )
            for number in range(60)
        ],
    )


def maintenance(at: float) -> Facts:
    """Return three windows of maintenance, two of which go on at `at`, of the series that have a label `name`."""
    everything = matchers.parse('name=~".+"')
    return Facts(
        maintenance=[
            Maintained(1, at - 2400, at - 1200, "New disks", everything),
            Maintained(2, at - 600, at + 7200, "Moving the database to the racks in the other hall", everything),
            Maintained(3, at - 660, at - 600, "Restart", everything),
            Maintained(4, at - 60, at + 60, "Restart", everything),
        ]
    )


def annotations(at: float) -> Facts:
    """Return a deploy, a span in which there is another, several at once, and one with a long text, before `at`."""
    return Facts(
        annotations=[
            Noted(1, at - 3000, None, "Shop 4.2 deployed", ("deploy", "shop")),
            Noted(2, at - 2000, at - 1100, "Load test from the other hall", ("test",)),
            Noted(3, at - 1500, None, "Queue doubled & <restarted>", ("change",)),
            *(Noted(4 + number, at - 600 + 2 * number, None, f"Host {number} rebooted", ()) for number in range(5)),
            Noted(9, at - 120, None, LONG_NAME, ("a tag that is rather long", "deploy", "shop")),
            Noted(1, at - 1700, at - 900, "Incident, critical: Queue full", (INCIDENT,), severity="critical"),
            Noted(2, at - 420, math.inf, "Incident, warning: Disk full", (INCIDENT,), severity="warning"),
        ]
    )
