"""The Procfile says how each process is run: compose.yaml and the systemd units say the same, the image has it all."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from honcho.environ import parse_procfile

ROOT = Path(settings.BASE_DIR)
COMMANDS: dict[str, str] = parse_procfile((ROOT / "Procfile").read_text()).processes
UNITS = {"web": "watchfloor-web@.service"}


def compose_commands() -> dict[str, str]:
    services = (ROOT / "compose.yaml").read_text().partition("\nservices:\n")[2].partition("\nnetworks:\n")[0]
    blocks = re.split(r"^  (\w+):\n", services, flags=re.MULTILINE)[1:]
    found = zip(blocks[::2], blocks[1::2], strict=True)
    return {name: match[1] for name, block in found if (match := re.search(r"^    command: (.+)$", block, re.M))}


def test_there_are_four() -> None:
    assert sorted(COMMANDS) == ["collect", "render", "statsd", "web"]


def test_one_of_them_runs_beat() -> None:
    assert [name for name, command in COMMANDS.items() if "--with-beat" in command.split()] == ["render"]


@pytest.mark.parametrize("name", COMMANDS)
def test_compose_runs_the_same(name: str) -> None:
    assert compose_commands()[name] == COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_systemd_runs_the_same(name: str) -> None:
    unit = ROOT / "deploy" / "systemd" / UNITS.get(name, f"watchfloor-{name}.service")
    match = re.search(r"^ExecStart=/opt/watchfloor/\.venv/bin/(.+)$", unit.read_text(), re.M)
    assert match
    assert match[1].replace("%%", "%") == COMMANDS[name]  # systemd writes a per cent sign twice


def test_the_image_has_all_of_the_program_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:].rstrip("/") for line in lines if line.startswith("!")}
    modules = {one.name for one in ROOT.iterdir() if one.suffix == ".py" or (one / "__init__.py").exists()}
    files = {"Procfile", "requirements.txt", "static", "templates"}
    assert allowed == (modules - {"tests", "benchmarks"}) | files


@pytest.mark.parametrize(
    ("named", "trusted"),
    [("", ["172.30.250.1"]), ("10.0.0.5 fd00::5", ["10.0.0.5", "fd00::5"]), ("none", [])],
    ids=["the host alone", "those that are named", "nobody"],
)
def test_nginx_believes_its_own_proxy_and_no_network(tmp_path: Path, named: str, trusted: list[str]) -> None:
    ip = tmp_path / "ip"
    ip.write_text("#!/bin/sh\necho 'default via 172.30.250.1 dev eth0'\necho '172.30.250.0/24 dev eth0'\n")
    ip.chmod(0o755)
    written = tmp_path / "trusted-proxy.conf"
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TRUSTED_PROXY": named}
    subprocess.run([ROOT / "deploy" / "trusted-proxy.sh", written], env=env, check=True)
    lines = written.read_text().splitlines()
    assert re.findall(r"^set_real_ip_from (.+);$", written.read_text(), re.M) == trusted
    assert [line.split()[0] for line in lines if line.endswith(" yes;")] == trusted
    assert "set_real_ip_from" not in (ROOT / "deploy" / "nginx.conf").read_text()
