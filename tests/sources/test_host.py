"""This machine's samples: in range, complete, and true from the second run on."""

import math
import os
import threading
import time
from typing import Any, NamedTuple

import psutil
import pytest

from metrics.sample import Sample, check
from metrics.sources import host
from metrics.sources.host import Host, HostConfig, Reading


def reading(at_s: float, busy: float = 0, whole: float = 0, network: int = 0, disk: int = 0) -> Reading:
    return Reading(at_s, [(busy, whole), (0, whole)], (network, 0), (0, disk))


class Disk(NamedTuple):
    device: str
    mountpoint: str
    fstype: str = "ext4"


class Usage(NamedTuple):
    percent: float
    free: int


def by_name(samples: list[Sample]) -> dict[tuple[str, ...], float]:
    return {(one.metric, *one.labels.values()): one.value for one in samples}


def test_every_value_is_one_that_is_accepted_and_in_range() -> None:
    samples = Host().collect(HostConfig())
    check(samples, 0)
    for one in samples:
        assert math.isfinite(one.value)
        assert one.value >= 0
        if one.unit == "percent":
            assert one.value <= 100


def test_it_tells_of_everything_that_an_operator_asks_first() -> None:
    assert {one.metric for one in Host().collect(HostConfig())} == {
        "host_cpu_percent",
        "host_cpu_core_percent",
        "host_load",
        "host_memory_percent",
        "host_memory_used_bytes",
        "host_swap_percent",
        "host_swap_used_bytes",
        "host_disk_percent",
        "host_disk_free_bytes",
        "host_network_bytes_per_second",
        "host_disk_bytes_per_second",
    }


def test_every_series_is_there_once() -> None:
    samples = Host().collect(HostConfig())
    assert len(by_name(samples)) == len(samples)


class TestMeansBetweenRuns:
    @pytest.fixture
    def readings(self, monkeypatch: pytest.MonkeyPatch) -> list[Reading]:
        queue: list[Reading] = []
        self.slept: list[float] = []
        monkeypatch.setattr(host, "read", lambda: queue.pop(0))
        monkeypatch.setattr(time, "sleep", self.slept.append)
        return queue

    def collect(self, kind: Host) -> dict[tuple[str, ...], float]:
        return by_name(kind.collect(HostConfig()))

    def test_the_first_run_measures_for_a_moment(self, readings: list[Reading]) -> None:
        readings += [reading(100, 10, 50), reading(100.5, 10.25, 50.5)]
        found = self.collect(Host())
        assert self.slept == [host.SHORT_S]
        assert found["host_cpu_core_percent", "0"] == 50
        assert found["host_cpu_core_percent", "1"] == 0
        assert found["host_cpu_percent",] == 25

    def test_the_second_run_measures_since_the_first(self, readings: list[Reading]) -> None:
        readings += [reading(100), reading(100.5), reading(102.5, 2, 2, network=5000, disk=1000)]
        kind = Host()
        self.collect(kind)
        found = self.collect(kind)
        assert len(self.slept) == 1
        assert found["host_cpu_percent",] == 50
        assert found["host_network_bytes_per_second", "received"] == 2500
        assert found["host_disk_bytes_per_second", "written"] == 500

    @pytest.mark.parametrize("pause_s", [0.1, 1000])
    def test_after_no_pause_or_a_long_one_it_measures_anew(self, readings: list[Reading], pause_s: float) -> None:
        readings += [reading(100), reading(100.5), reading(100.5 + pause_s, 9, 9), reading(101 + pause_s, 9.5, 9.5)]
        kind = Host()
        self.collect(kind)
        assert self.collect(kind)["host_cpu_percent",] == 50
        assert len(self.slept) == 2

    def test_a_counter_that_began_anew_is_no_negative_rate(self, readings: list[Reading]) -> None:
        readings += [reading(100, 5, 9, 9000, 9000), reading(101, 1, 2, 10, 10)]
        found = self.collect(Host())
        assert min(found.values()) >= 0

    def test_time_that_does_not_pass_is_no_division_by_zero(self, readings: list[Reading]) -> None:
        readings += [reading(100, 5, 9), reading(100.5, 5, 9)]
        assert self.collect(Host())["host_cpu_percent",] == 0


def test_two_runs_at_once_wait_for_each_other() -> None:
    kind, results = Host(), []
    threads = [threading.Thread(target=lambda: results.append(kind.collect(HostConfig()))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(results) == 2


class TestDisks:
    def mounts(self, monkeypatch: pytest.MonkeyPatch, *disks: Disk) -> list[Any]:
        monkeypatch.setattr(psutil, "disk_partitions", lambda all: list(disks))
        monkeypatch.setattr(os.path, "isdir", lambda path: path != "/etc/hosts")
        monkeypatch.setattr(psutil, "disk_usage", self.usage)
        return [one.labels["mount"] for one in host.disks() if one.metric == "host_disk_percent"]

    @staticmethod
    def usage(mount: str) -> Any:
        if mount == "/unplugged":
            raise OSError
        return Usage(42.0, 58)

    @pytest.mark.parametrize(
        ("disks", "expected"),
        [
            ([Disk("/dev/sda", "/")], ["/"]),
            ([Disk("/dev/sda", "/"), Disk("/dev/sdb", "/data")], ["/", "/data"]),
            ([Disk("/dev/sda", "/var/lib/x"), Disk("/dev/sda", "/")], ["/"]),
            ([Disk("/dev/sda", "/"), Disk("/dev/sdb", "/unplugged")], ["/"]),
            ([Disk("/dev/sda", "/"), Disk("/dev/loop0", "/snap/x", "squashfs")], ["/"]),
            ([Disk("/dev/sda", "/etc/hosts")], ["/"]),
            ([], ["/"]),
        ],
    )
    def test_each_disk_counts_once_and_the_root_always(
        self, monkeypatch: pytest.MonkeyPatch, disks: list[Disk], expected: list[str]
    ) -> None:
        assert self.mounts(monkeypatch, *disks) == expected
