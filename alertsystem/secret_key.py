"""Which secret key signs the sessions? A random one, made once and kept in the data folder."""

import os
import secrets
import tempfile
from pathlib import Path


def kept_in(data_dir: Path) -> str:
    """The key in `data_dir`/secret_key (mode 0600), made at first need; processes that start together agree on one."""
    path = data_dir / "secret_key"
    if not path.exists():
        _create(path)
    return path.read_text().strip()


def _create(path: Path) -> None:
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".secret_key-")  # mkstemp gives mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
        os.link(draft, path)  # unlike a rename it never replaces the key of a process that was faster
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
