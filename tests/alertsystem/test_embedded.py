"""Where the embedded broker listens, and the secret key beside it."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from alertsystem import embedded, secret_key


def test_the_socket_lies_in_the_data_folder(tmp_path: Path) -> None:
    assert embedded.socket_path(Path("/data")) == Path("/data/valkey.sock")


def test_a_path_too_long_for_a_socket_moves_to_a_folder_of_this_user_alone(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)
    path = embedded.socket_path(long)
    embedded.prepare_folder(path)
    try:
        assert len(str(path)) <= embedded.MAX_SOCKET_PATH
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert path == embedded.socket_path(long) != embedded.socket_path(tmp_path / ("y" * 100))
    finally:
        path.parent.rmdir()


def test_processes_that_start_together_agree_on_one_secret_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(secret_key.kept_in, [tmp_path] * 8))
    assert len(keys) == 1 and len(keys.pop()) >= 50
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_without_a_server_one_line_asks_for_a_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("platform.system", lambda: "Plan9")
    with pytest.raises(embedded.NoServer, match="set REDIS_URL"):
        embedded.server_binary()
