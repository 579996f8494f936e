"""Does this very process live? It writes a file every few seconds; `python -m alertsystem.alive` looks at it, or at a page.

What looks is a health check that runs every few seconds in each container, so nothing is imported that takes time.
"""

import http.client
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

ALIVE_S = 15  # a process that is well writes every two seconds
ANSWER_S = 3.0  # for a page


def touch(file: Path) -> None:
    """Say in `file` that this process lives now."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.write_text(str(os.getpid()))
    draft.replace(file)  # a reader finds the old one or the new one, never half of it


def trouble_of_file(file: Path, now: float) -> str:
    """What is wrong with the process that writes `file`, or ""; `now` is in epoch seconds."""
    try:
        age_s = now - file.stat().st_mtime
        process_id = int(file.read_text())
    except (OSError, ValueError):
        return f"it has not said yet that it lives ({file})"
    if age_s > ALIVE_S:
        return f"it said {age_s:.0f} s ago that it lives"
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return f"process {process_id} has ended"
    except PermissionError:  # it lives, as somebody else's
        pass
    return ""


def trouble_of_page(url: str, hosts: str) -> str:
    """What is wrong with the answer of the web process, or ""; `hosts` is ALLOWED_HOSTS, of which it wants to be asked by name."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_S)
    host = hosts.split(",")[0].strip().removeprefix(".") or "localhost"
    try:
        connection.request("GET", parts.path, headers={"Host": host})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{url} does not answer: {error}"
    finally:
        connection.close()
    return "" if status == http.HTTPStatus.OK else f"{url} answers {status}"


def main(words: list[str], env: Mapping[str, str]) -> str:
    """What is wrong, or "": of the page whose URL is given, else of the process that writes ALIVE_FILE."""
    if words:
        return trouble_of_page(words[0], env.get("ALLOWED_HOSTS", ""))
    if not env.get("ALIVE_FILE"):
        return "ALIVE_FILE is not set: it names the file in which the process says that it lives"
    return trouble_of_file(Path(env["ALIVE_FILE"]), time.time())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ) or None)
