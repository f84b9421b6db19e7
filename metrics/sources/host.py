"""This machine: CPU, load, memory, swap, disks, network, through psutil.

CPU and throughput are means over the time since the run before, in this process; the first run, or one
after a long pause, measures for half a second instead.
"""

import os
import threading
import time
from dataclasses import dataclass

import psutil

from metrics.sample import Sample
from metrics.sources.base import SourceConfig, SourceKind

SHORT_S = 0.5
LONG_S = 120
NO_DISKS = {"squashfs", "tmpfs", "devtmpfs", "overlay", "iso9660", "efivarfs", "proc", "sysfs"}


class HostConfig(SourceConfig):
    """Nothing to choose."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters at one moment: `at_s` of the monotonic clock; busy and whole CPU seconds per core; bytes since boot."""

    at_s: float
    cores: list[tuple[float, float]]
    network: tuple[int, int]
    disk: tuple[int, int]


class Host(SourceKind[HostConfig]):
    """Samples of the machine that the worker runs on."""

    kind = "host"
    config_class = HostConfig
    group = "servers"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._before: Reading | None = None

    def collect(self, config: HostConfig) -> list[Sample]:
        with self._lock:
            before, now = self._pair()
        return [*cpu(before, now), *throughput(before, now), *load(), *memory(), *disks()]

    def _pair(self) -> tuple[Reading, Reading]:
        before, now = self._before, read()
        if before is None or not SHORT_S <= now.at_s - before.at_s <= LONG_S:
            before = now
            time.sleep(SHORT_S)
            now = read()
        self._before = now
        return before, now


def read() -> Reading:
    """Read the counters."""
    cores = []
    for times in psutil.cpu_times(percpu=True):
        # guest time is part of user time already
        whole = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        cores.append((whole - times.idle - getattr(times, "iowait", 0.0), whole))
    network = psutil.net_io_counters(pernic=True)
    received = sum(nic.bytes_recv for name, nic in network.items() if name != "lo")
    sent = sum(nic.bytes_sent for name, nic in network.items() if name != "lo")
    disk = psutil.disk_io_counters()
    return Reading(time.monotonic(), cores, (received, sent), (disk.read_bytes, disk.write_bytes) if disk else (0, 0))


def cpu(before: Reading, now: Reading) -> list[Sample]:
    """Busy share of each core and of all together, in percent."""
    pairs = list(zip(before.cores, now.cores, strict=False))
    busy = [new[0] - old[0] for old, new in pairs]
    whole = [new[1] - old[1] for old, new in pairs]
    samples = [
        Sample("host_cpu_core_percent", _percent(busy[i], whole[i]), {"core": str(i)}, unit="percent")
        for i in range(len(pairs))
    ]
    return [Sample("host_cpu_percent", _percent(sum(busy), sum(whole)), unit="percent"), *samples]


def throughput(before: Reading, now: Reading) -> list[Sample]:
    """Bytes a second over the network (all interfaces but the loopback) and to and from the disks."""
    seconds = now.at_s - before.at_s
    rates = [
        ("host_network_bytes_per_second", {"direction": "received"}, now.network[0] - before.network[0]),
        ("host_network_bytes_per_second", {"direction": "sent"}, now.network[1] - before.network[1]),
        ("host_disk_bytes_per_second", {"direction": "read"}, now.disk[0] - before.disk[0]),
        ("host_disk_bytes_per_second", {"direction": "written"}, now.disk[1] - before.disk[1]),
    ]
    # an interface that went away takes its count along: not a negative rate
    return [Sample(name, max(0.0, n / seconds), labels, unit="bytes_per_second") for name, labels, n in rates]


def load() -> list[Sample]:
    """Load averages over 1, 5 and 15 minutes."""
    return [
        Sample("host_load", value, {"over": over})
        for over, value in zip(("1m", "5m", "15m"), os.getloadavg(), strict=True)
    ]


def memory() -> list[Sample]:
    """Memory and swap, in bytes and in percent."""
    main, swap = psutil.virtual_memory(), psutil.swap_memory()
    return [
        Sample("host_memory_percent", main.percent, unit="percent"),
        Sample("host_memory_used_bytes", main.total - main.available, unit="bytes"),
        Sample("host_swap_percent", swap.percent, unit="percent"),
        Sample("host_swap_used_bytes", swap.used, unit="bytes"),
    ]


def disks() -> list[Sample]:
    """How full each mounted disk is; a device that is mounted several times counts once."""
    samples = []
    for device, mount in _mounts().items():
        try:
            usage = psutil.disk_usage(mount)
        except OSError:  # unplugged meanwhile, or not ours to look at
            continue
        labels = {"mount": mount, "device": device}
        samples.append(Sample("host_disk_percent", usage.percent, labels, unit="percent"))
        samples.append(Sample("host_disk_free_bytes", usage.free, labels, unit="bytes"))
    return samples


def _mounts() -> dict[str, str]:
    mounts: dict[str, str] = {}
    for partition in psutil.disk_partitions(all=False):
        if partition.fstype in NO_DISKS or not os.path.isdir(partition.mountpoint):
            continue
        known = mounts.get(partition.device)
        if known is None or len(partition.mountpoint) < len(known):
            mounts[partition.device] = partition.mountpoint
    if "/" not in mounts.values():  # a container's root is an overlay, and yet what fills up
        mounts["root"] = "/"
    return mounts


def _percent(part: float, whole: float) -> float:
    return min(100.0, max(0.0, 100 * part / whole)) if whole > 0 else 0.0
