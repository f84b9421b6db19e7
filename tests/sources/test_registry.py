"""How kinds are found: the one that is asked for, without the others."""

import subprocess
import sys

from metrics.sources.registry import kinds


def test_a_kind_is_in_the_module_of_its_name() -> None:
    assert {type(kind).__module__.rpartition(".")[2] for kind in kinds().values()} == set(kinds())


def test_what_helps_kinds_is_none() -> None:
    assert kinds().get("base") is None
    assert "no_such" not in kinds()


def test_asking_for_one_imports_no_other() -> None:
    program = (
        "import django, sys; django.setup(); from metrics.sources.registry import kinds; kinds()['host'];"
        "print(*[name for name in ('pymysql', 'dns', 'jmespath', 'ninja', 'numpy') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.split() == []
