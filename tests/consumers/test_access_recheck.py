"""Access that is looked at again: what the database answers counts, whatever it does not answer."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError

from consumers import access_recheck
from consumers.access import Decision, Question
from consumers.codes import NO_ACCESS
from consumers.holders import Credential
from consumers.log_stream import LogStream
from consumers.stream import Stream
from consumers.viewer import Viewer
from metrics.access.principal import Principal, Role
from metrics.actions import alert_list
from metrics.live.bus import RECHECK, Recheck
from metrics.live.topic import person, variant


async def test_what_fails_keeps_no_other_from_being_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def judge(questions: Sequence[Question]) -> dict[Question, Decision]:
        if "odd" in {one.credential.session for one in questions}:
            raise OperationalError("busy")
        return dict.fromkeys(questions, Decision(NO_ACCESS))

    monkeypatch.setattr(access_recheck, "AT_ONCE", 1)
    monkeypatch.setattr(access_recheck, "judge", judge)
    outlet: Any = None
    stream = Stream(variant(1, "1h"))
    ada, odd, bob = (Viewer(outlet, Credential(name, ""), Decision(None)) for name in ("ada", "odd", "bob"))
    doubt = Recheck(type=RECHECK, user=None, dashboard=None)
    found = access_recheck.refused([(stream, viewer) for viewer in (ada, odd, bob)], doubt)
    assert [one async for one in found] == [(stream, ada, NO_ACCESS), (stream, bob, NO_ACCESS)]


async def test_who_may_see_something_else_is_sent_the_list_of_alerts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    ada = Principal("user", "user ada", Role.VIEWER, 1, frozenset({7}))
    now = {"renamed": replace(ada, name="user eve"), "moved": replace(ada, teams=frozenset({8}))}

    async def judge(questions: Sequence[Question]) -> dict[Question, Decision]:
        return {one: Decision(None, "user:1", by=now[one.credential.session]) for one in questions}

    monkeypatch.setattr(access_recheck, "judge", judge)
    outlet: Any = None
    asked = {"personal": "1", "list": "alerts", "listed": f"5-{alert_list._digest(ada)}"}
    viewers = [Viewer(outlet, Credential(name, ""), Decision(None, "user:1", by=ada), asked=asked) for name in now]
    doubt = Recheck(type=RECHECK, user=None, dashboard=None)
    stream = LogStream(person(1))
    assert [one async for one in access_recheck.refused([(stream, viewer) for viewer in viewers], doubt)] == []
    assert [viewer.listed for viewer in viewers] == [5, None]
