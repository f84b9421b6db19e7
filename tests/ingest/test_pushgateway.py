"""Requests to the Pushgateway: groups in paths, and expositions whose labels give way to the group's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.exposition import _escape_grouping_key as escaped

from metrics.exposition import BadExposition
from metrics.ingest.pushgateway import BadGroup, UnknownFormat, group, group_key, parse
from metrics.sample import BadSamples, Sample

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROTOBUF = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
JOB = {"job": "backup"}


class TestGroup:
    @pytest.mark.parametrize(
        ("path", "labels"),
        [
            ("job/backup", {"job": "backup"}),
            ("job/backup/", {"job": "backup"}),
            ("job/backup/instance/db1", {"job": "backup", "instance": "db1"}),
            ("job@base64/YmFja3Vw", {"job": "backup"}),
            ("job/backup/path@base64/L3Zhci90bXA", {"job": "backup", "path": "/var/tmp"}),
            ("job/backup/path@base64/L3Zhci90bXA=", {"job": "backup", "path": "/var/tmp"}),
            ("job/backup/shop@base64/=", {"job": "backup", "shop": ""}),
            ("job/backup/name@base64/w7zDvw", {"job": "backup", "name": "üÿ"}),
            ("job/backup/name@base64/4p-o4p-p", {"job": "backup", "name": "⟨⟩"}),
            ("job/Grüße", {"job": "Grüße"}),
        ],
    )
    def test_it_is_in_the_path(self, path: str, labels: dict[str, str]) -> None:
        assert group(path) == labels

    @pytest.mark.parametrize(
        "path",
        [
            *(
                "",
                "/",
                "job",
                "job/",
                "job//",
                "job@base64/=",
                "shop/north",
                "shop/north/job/backup",
                "job/a/b",
                "job/a//b",
            ),
            *(
                "job/a/job/b",
                "job/a/job@base64/Yg",
                "job/a/__name__/b",
                "job/a/@base64/Yg",
            ),
            *("job@base64/+", "job@base64/A", "job@base64/_w"),
        ],
    )
    def test_a_path_that_names_none_is_refused(self, path: str) -> None:
        with pytest.raises(BadGroup, match=r"\.$"):
            group(path)

    def test_an_empty_label_is_not_the_same_as_none(self) -> None:
        assert group_key({"job": "a", "shop": ""}) != group_key({"job": "a"})
        assert group_key({"job": "a", "shop": "b"}) == group_key({"shop": "b", "job": "a"})

    @given(st.text(min_size=1).filter(lambda text: text.isprintable() and "/" not in text))
    def test_what_the_client_escapes_comes_out(self, value: str) -> None:
        name, written = escaped("job", value)  # type: ignore[no-untyped-call]
        if name == "job":  # the rest of the path is unescaped before it gets here
            written = value
        assert group(f"{name}/{written}") == {"job": value}

    @given(st.text() | st.lists(st.sampled_from(["job", "@base64", "/", "a", "=", "YQ", "_"])).map("".join))
    def test_any_path_is_a_group_or_refused(self, path: str) -> None:
        try:
            labels = group(path)
        except BadGroup:
            return
        assert labels["job"]


class TestParse:
    def test_the_labels_of_the_group_come_first(self) -> None:
        text = b'# TYPE orders counter\norders{job="other",shop="north"} 1\n'
        assert parse(text, TEXT, JOB).samples == [
            Sample("orders", 1.0, {"job": "backup", "shop": "north"}, type="counter")
        ]

    @pytest.mark.parametrize("kind", ["", TEXT, "text/plain", "application/x-www-form-urlencoded", "a/b; c", ";"])
    def test_whatever_it_is_called_it_is_read_as_text(self, kind: str) -> None:
        assert [one.metric for one in parse(b"orders 1\n", kind, JOB).samples] == ["orders"]

    def test_openmetrics_is_read_if_it_says_so(self) -> None:
        with pytest.raises(BadExposition, match="EOF"):
            parse(b"orders 1\n", OPENMETRICS, JOB)
        assert len(parse(b"orders 1\n# EOF\n", OPENMETRICS.upper(), JOB).samples) == 1

    def test_protobuf_is_read_if_each_message_has_its_length(self) -> None:
        assert parse(b"\x03\x0a\x01a", PROTOBUF, JOB).names >= {"a"}
        with pytest.raises(UnknownFormat, match=r"only encoding=delimited .+\.$"):
            parse(b"", PROTOBUF.replace("delimited", "text"), JOB)

    @pytest.mark.parametrize(
        ("text", "field"),
        [
            (b"orders 1\nopen 1 1795176000000\n", "at"),
            (b"orders 1\norders 2\n", "metric"),
            (b'orders 1\norders{job="other"} 2\n', "metric"),
            (b'orders 1\norders{shop=""} 2\n', "metric"),
        ],
    )
    def test_one_value_of_a_series_now_is_all_there_may_be(self, text: bytes, field: str) -> None:
        with pytest.raises(BadSamples) as refused:
            parse(text, TEXT, JOB)
        (problem,) = refused.value.problems
        assert (problem.index, problem.field) == (1, field)
        assert problem.message.endswith(".")

    @given(st.binary(), st.sampled_from([TEXT, OPENMETRICS, PROTOBUF]) | st.text())
    def test_any_bytes_are_read_or_refused(self, body: bytes, kind: str) -> None:
        try:
            read = parse(body, kind, JOB)
        except (BadExposition, BadSamples, UnknownFormat):
            return
        assert all(one.labels["job"] == "backup" for one in read.samples)
