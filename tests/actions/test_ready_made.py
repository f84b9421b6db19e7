"""Ready-made dashboards: each can be made, and shows what the sources of this release collect."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from metrics.access.principal import SYSTEM
from metrics.actions import dashboard_files, dashboards, ready_made
from metrics.actions.errors import Missing
from metrics.models import Dashboard, Source
from metrics.widgets.registry import kinds
from tests import make
from tests.sources.documented import of_kind

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

NAMES = sorted(file.stem for file in ready_made.FOLDER.glob(f"*{dashboard_files.ENDING}"))
OURS = {fit.name: kind for kind, fit in ready_made.FITS.items() if fit.name != "node_exporter"}
NODE_EXPORTER = (Path(__file__).parent / "node_exporter-1.5.0.txt").read_text().split()
"""The names of the metrics that Debian's prometheus-node-exporter has."""
HEARTBEATS = Path(settings.BASE_DIR, "docs/heartbeats.md").read_text()


def shown(name: str) -> set[str]:
    """Return the metrics that a ready-made dashboard shows."""
    widgets = ready_made.documents()[name]["widgets"]
    return {query["metric"] for widget in widgets for query in widget["config"]["queries"]}


def collected(name: str) -> set[str]:
    if name == "node_exporter":
        return set(NODE_EXPORTER)
    if name == "heartbeats":
        return set(re.findall(r"^\| `(heartbeat_\w+)` \|", HEARTBEATS, re.MULTILINE))
    kind = OURS[name]
    code = Path(settings.BASE_DIR, f"metrics/sources/{kind}.py").read_text()
    # The collector of a kind says each name, or what follows the kind in it.
    return {one for one in of_kind(kind) if re.search(rf'"({one}|{one.partition("_")[2]})"', code)}


@pytest.mark.parametrize("name", NAMES)
def test_each_shows_what_is_collected(name: str) -> None:
    assert shown(name) - collected(name) == set()


@pytest.mark.parametrize("name", NAMES)
def test_each_is_made_and_is_as_it_would_be_exported(name: str) -> None:
    made = ready_made.create(SYSTEM, name, ready_made.title_of(name), "made")
    text = (ready_made.FOLDER / f"{name}.yaml").read_text().replace("slug: ", "slug: made #")
    assert dashboard_files.compare(SYSTEM, {"made": text}) == []
    assert made.description
    assert any(widget.config.get("hint") for widget in made.widgets.all())


def test_each_kind_fits_one_that_there_is() -> None:
    assert {fit.name for fit in ready_made.FITS.values()} | {"heartbeats"} == set(NAMES)
    assert {widget["kind"] for one in ready_made.documents().values() for widget in one["widgets"]} <= set(kinds())


class TestOfASource:
    def redis(self) -> Source:
        made = make.source("redis", "cache", host="localhost")
        make.stored("redis_clients", {0: 1.0}, made, server="cache:6379")
        return made

    def test_it_shows_the_series_of_that_source(self) -> None:
        source = self.redis()
        assert ready_made.fitting(source) == "redis"
        made = ready_made.create(SYSTEM, "redis", ready_made.title_of("redis", source), "cache", source)
        queries = [query for widget in made.widgets.all() for query in widget.config["queries"]]
        assert made.title == "Redis: cache"
        assert {query["labels"]["server"] for query in queries} == {"cache:6379"}

    def test_nothing_is_offered_for_what_it_does_not_show(self) -> None:
        scraped = make.source("prometheus_scrape", "shop", url="http://localhost/metrics")
        make.stored("shop_orders_total", {0: 1.0}, scraped, instance="localhost:80")
        assert ready_made.fitting(scraped) == ""
        make.stored("node_load1", {0: 1.0}, scraped, instance="localhost:80")
        assert ready_made.fitting(scraped) == "node_exporter"

    def test_its_page_leads_to_the_form_and_that_to_the_dashboard(self, client: Client) -> None:
        client.force_login(make.user("grace", is_staff=True))
        source = self.redis()
        path = f"/dashboards/new/?from=ready&of=redis&source={source.pk}"
        assert path.replace("&", "&amp;") in client.get(f"/sources/{source.pk}/").content.decode()
        page = client.get(path).content.decode()
        assert 'value="Redis: cache"' in page
        response = client.post(path, {"dashboard-title": "The cache", "dashboard-slug": ""})
        assert response["Location"] == "/d/the-cache/"
        assert dashboards.spec_of(Dashboard.objects.get()).title == "The cache"

    def test_a_viewer_is_offered_none(self, client: Client) -> None:
        client.force_login(make.user())
        assert "from=ready" not in client.get(f"/sources/{self.redis().pk}/").content.decode()

    @pytest.mark.parametrize("query", ["of=nothing", "of=redis&source=987654321"])
    def test_what_there_is_not_is_not_found(self, client: Client, query: str) -> None:
        client.force_login(make.user("grace", is_staff=True))
        assert client.get(f"/dashboards/new/?from=ready&{query}").status_code == 404
        with pytest.raises(Missing):
            ready_made.create(SYSTEM, "nothing", "Title", "slug")
