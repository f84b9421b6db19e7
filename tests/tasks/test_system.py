"""Steps of a tick: one that fails keeps no other from being done, and an outage is not its fault."""

import pytest
from django.db import DataError, IntegrityError, OperationalError
from redis import RedisError

from tasks import system


@pytest.mark.parametrize(
    ("error", "is_outage"),
    [
        (ValueError("odd"), False),
        (DataError("out of range"), False),
        (IntegrityError("no JSON"), False),
        (OperationalError("the server closed the connection"), True),
        (RedisError("away"), True),
        (TimeoutError(), True),
    ],
)
def test_a_step_that_fails_is_logged_and_an_outage_raised(error: Exception, is_outage: bool) -> None:
    def step(_: float) -> None:
        raise error

    if is_outage:
        with pytest.raises(type(error)):
            system._done(step, 0)
    else:
        assert system._done(step, 0) is False
