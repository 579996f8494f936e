"""Who ends a process whose parent was killed? On Linux the kernel, when asked; elsewhere pools and servers notice by themselves."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded before a fork, as a forked child should not


def die_with_parent(parent: int | None = None) -> None:
    """Have this process killed when its parent ends; `parent` is the parent's id if it may have ended already."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if parent is not None and os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
