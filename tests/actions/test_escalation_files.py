"""Escalations as files: what they say is how teams answer, and comments stay."""

import pytest

from metrics.access.principal import SYSTEM
from metrics.actions import channels, escalation_files, escalation_specs
from metrics.actions.errors import Conflict, Invalid
from metrics.models import Escalation
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

OPS = """# Nights are quiet.
team: ops
steps:
  - tell: [team]
  - after: 10m   # then the pager
    tell: [channel:Pager]
"""


def applied(text: str = OPS, *, prune: bool = False) -> list[str]:
    changes = escalation_files.compare(SYSTEM, {"ops": text} if text else {}, prune=prune)
    escalation_files.apply(SYSTEM, changes)
    return [one.verb for one in changes]


@pytest.fixture(autouse=True)
def _team() -> None:
    make.team("ops")
    channels.create(SYSTEM, "mail", "Pager", {"to": ["a@example.org"]}, "ops")


def test_a_file_is_applied_once_and_follows_the_page() -> None:
    assert (applied(), applied()) == (["create"], [])
    spec = escalation_specs.spec_of(Escalation.objects.get(team__name="ops"))
    assert [(one.after, one.tell) for one in spec.steps] == [(None, ["team"]), ("10m", ["channel:Pager"])]
    steps = [{"tell": ["team"]}, {"after": "20m", "tell": ["channel:Pager"]}]
    escalation_specs.put(SYSTEM, "ops", {"steps": steps, "gather": "1m"})
    (change,) = escalation_files.compare(SYSTEM, {"ops": OPS})
    assert "-  - after: 20m   # then the pager" in change.lines()
    text = escalation_files.export(SYSTEM, {"ops": OPS})["ops"]
    assert text == OPS.replace("10m", "20m") + "gather: 1m\n" or "gather: 1m" in text
    assert applied(text) == []
    assert escalation_files.export(SYSTEM, {"ops": text}) == {"ops": text}


def test_a_change_meanwhile_is_refused() -> None:
    changes = escalation_files.compare(SYSTEM, {"ops": OPS})
    steps = [{"tell": ["team"]}]
    escalation_specs.put(SYSTEM, "ops", {"steps": steps})
    with pytest.raises(Conflict, match="Somebody changed who is told for the team ops meanwhile"):
        escalation_files.apply(SYSTEM, changes)
    changes = escalation_files.compare(SYSTEM, {}, prune=True)
    escalation_specs.put(SYSTEM, "ops", {"steps": steps, "gather": "1m"})
    with pytest.raises(Conflict):
        escalation_files.apply(SYSTEM, changes)
    assert Escalation.objects.exists()


def test_one_without_a_file_is_removed_only_when_asked_and_the_installation_has_one() -> None:
    escalation_specs.put(SYSTEM, "", {"steps": [{"tell": ["everyone"]}]})
    texts = escalation_files.export(SYSTEM, {})
    assert texts == {"installation": "steps:\n  - tell: [everyone]\n"}
    assert escalation_files.compare(SYSTEM, texts) == []
    assert applied("") == []
    assert applied("", prune=True) == ["delete"]
    assert not Escalation.objects.exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("after: 10m", "after: soon", r"escalations/ops.yaml: line 5: steps.1.after: "),
        ("team: ops", "team: nobody", r"line 2: team: there is no team 'nobody'\."),
        ("channel:Pager", "channel:None", r"escalations/ops: steps.1.tell: there is no channel 'None'"),
        ("steps:", "step:", r"line 3: step: "),
    ],
)
def test_what_is_wrong_is_said(old: str, new: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        applied(OPS.replace(old, new))
    assert not Escalation.objects.exists()


def test_the_file_of_a_team_that_is_gone_does_not_stop_an_export() -> None:
    assert escalation_files.export(SYSTEM, {"ops": OPS.replace("team: ops", "team: gone")}) == {}
