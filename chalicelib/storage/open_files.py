"""Whether a process is still writing a file, which only its kernel knows."""

from __future__ import annotations

import fcntl
import os
import signal
from pathlib import Path


def is_being_written(path: Path) -> bool | None:
    """Whether any process has the file open for writing; None where the system does not tell.

    Linux tells by a lease for reading, which it grants while there is no writer: on file systems that have leases, and
    for files of one's own. Raises FileNotFoundError.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except PermissionError:
        return None
    try:
        # Who opens the file while the lease is held makes the kernel send a signal: this one is ignored unless asked
        # for, the usual one would end the process.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return False
