"""One spike in a month: pushed, rolled up, packed and pruned, it is still on the chart."""

import re
from itertools import accumulate

import pytest
from pytest_django import Settings

from metrics.models import Late
from metrics.models import Sample as Row
from metrics.series import pack, prune, rollup
from metrics.widgets.line import LineView
from metrics.widgets.render import widget_views
from tests import make
from tests.make import AT

pytestmark = pytest.mark.django_db

HOUR_S, DAY_S = 3600, 86_400


@pytest.mark.parametrize(
    ("range_", "length_s", "spike_s"), [("7d", 7 * DAY_S, 5 * DAY_S), ("30d", 30 * DAY_S, 20 * DAY_S)]
)
def test_a_spike_of_one_sample_is_on_the_chart(range_: str, length_s: int, spike_s: int, settings: Settings) -> None:
    """The mean of its hour is 43; both as values are and as their mean is asked for, the chart reaches up to 1000."""
    settings.RAW_RETENTION_HOURS, settings.MINUTE_RETENTION_DAYS = 48, 3
    around = (*range(spike_s + 3 * HOUR_S, spike_s - 3 * HOUR_S, -120), *range(6 * HOUR_S, 0, -120))
    make.stored("load", {before: 1000.0 if before == spike_s else 10.0 for before in around})
    Late.objects.all().delete()
    for job in (rollup.roll, pack.pack, prune.prune):
        job(AT + 600)
    assert not Row.objects.filter(value=1000).exists()
    queries = [{"metric": "load"}], [{"metric": "load", "function": "avg"}]
    widgets = [{"kind": "line", "title": "Load", "config": {"queries": some}} for some in queries]
    for shown in widget_views(make.widgets_of(make.dashboard("shop", widgets)), range_, AT):
        assert isinstance(shown.view, LineView)
        assert shown.view.values.high == 1000
        numbers = [int(number) for number in re.findall(r"-?\d+", shown.view.lines[0].band)]
        xs, ys = list(accumulate(numbers[0::2])), list(accumulate(numbers[1::2]))
        assert min(ys) == 0
        assert xs[ys.index(0)] == pytest.approx(1000 - 1000 * spike_s / length_s, abs=15)
