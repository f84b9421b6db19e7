"""Clocks: the time of each zone."""

import pytest
from pydantic import ValidationError

from metrics.widgets.clock import Clock, ClockConfig, Dial
from tests.widgets.make import window


def test_a_clock_has_the_time_of_each_zone() -> None:
    config = ClockConfig.model_validate(
        {"places": [{"zone": "Asia/Kathmandu"}, {"zone": "UTC", "name": "Servers"}, {"zone": "America/New_York"}]}
    )
    assert Clock().view(config, [], window()).dials == (
        Dial("Kathmandu", "Asia/Kathmandu", "17:45", "Fri 20 Nov", "UTC+05:45"),
        Dial("Servers", "UTC", "12:00", "Fri 20 Nov", "UTC"),
        Dial("New York", "America/New_York", "07:00", "Fri 20 Nov", "UTC-05:00"),
    )


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "localtime", "x" * 65])
def test_a_zone_that_there_is_not_is_refused(zone: str) -> None:
    with pytest.raises(ValidationError):
        ClockConfig.model_validate({"places": [{"zone": zone}]})
