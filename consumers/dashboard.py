"""A dashboard over a socket: `/ws/dashboards/<slug>/?range=1h&epoch=…&version=…`, as HTML or with `format=json`."""

from consumers.access import Decision
from consumers.codes import NO_SUCH_THING
from consumers.hub import Membership, hub
from consumers.limits import MESSAGE_BYTES
from consumers.topic import TopicConsumer, document, number
from consumers.viewer import Viewer
from metrics.actions.variables import PREFIX
from metrics.live.topic import DASHBOARD, values, variant
from metrics.widgets.ranges import RANGES_S


class DashboardConsumer(TopicConsumer):
    """Frames down, `{"ack": version}` up."""

    kind = DASHBOARD

    def name(self) -> int | str:
        return str(self.scope["url_route"]["kwargs"]["slug"])

    def variables(self, query: dict[str, list[str]]) -> tuple[tuple[str, str], ...]:
        pairs = [(name, value) for name, values in sorted(query.items()) for value in sorted(values)]
        return tuple(pair for pair in pairs if pair[0].startswith(PREFIX))

    def checked(self, who: Decision) -> Decision:
        """Return the decision; the range has to be one, and the slug still that of the page's dashboard."""
        moved = who.id and self.asked.get("dashboard", str(who.id)) != str(who.id)
        wrong = self.asked.get("range", "") not in RANGES_S or moved
        return Decision(NO_SUCH_THING) if wrong else super().checked(who)

    async def join(self, who: Decision, viewer: Viewer) -> Membership | None:
        topic = (values if viewer.as_json else variant)(who.id, self.asked["range"], who.chosen)
        return await hub().join(topic, viewer, self.asked.get("epoch", ""), number(self.asked.get("version", "")))

    def hears(self, text: str) -> bool:
        """Take an acknowledgement, which is nearly all that ever comes; return whether it was one and not too many."""
        version = _acknowledged(text) if len(text) <= MESSAGE_BYTES else None
        if version is None or self.membership is None or not self.allowance.take():
            return False
        self.membership.acknowledge(version)
        return True

    async def heard(self, membership: Membership, text: str) -> None:
        await self.refuse('A message is {"ack": version}.')


def _acknowledged(text: str) -> int | None:
    """Return the version of `{"ack": version}`, None for anything else."""
    version = document(text).get("ack")
    return version if type(version) is int else None  # a bool is an int to Python, and no version
