"""`python die_with_parent.py PARENT COMMAND…`: becomes COMMAND, which the kernel kills as soon as process PARENT ends.

A program of its own, not a `preexec_fn`, because Python code between fork and exec is not safe in a
process that has threads. Only Linux knows the request; elsewhere this is a plain exec.
See prctl(2), PR_SET_PDEATHSIG: the request survives the exec.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    die_with(parent)
    try:
        os.execvp(command[0], command)  # noqa: S606 (its whole purpose)
    except OSError as error:
        sys.exit(f"{command[0]} can't be run ({error.strerror}).")


def die_with(parent: int) -> None:
    """Have the kernel kill this process as soon as its parent ends, or end it now if that is not `parent`."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the request was made
        sys.exit(1)


if __name__ == "__main__":
    main()
