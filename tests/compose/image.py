"""What does the Dockerfile put into the image? Its instructions, and its project folder built without an engine."""

import re
import shutil
import subprocess
from pathlib import Path

from alertsystem.env import PROJECT_DIR

FILE = PROJECT_DIR / "Dockerfile"


def instructions(name: str) -> list[str]:
    """What follows `name` in each of the Dockerfile's lines that begin with it; continued lines are joined."""
    lines = (re.sub(r"\s+", " ", line).strip() for line in FILE.read_text().replace("\\\n", " ").splitlines())
    return [line.removeprefix(name).strip() for line in lines if line.startswith(f"{name} ")]


def copied() -> list[str]:
    """The files and folders of the project that the image holds."""
    return [line.split()[0] for line in instructions("COPY") if not line.startswith("--from")]


def build(app: Path, path: str) -> None:
    """Make the image's project folder at `app`, static files included, by the Dockerfile's own steps; `path` finds python."""
    app.mkdir()
    for name in copied():
        if (PROJECT_DIR / name).is_dir():
            shutil.copytree(PROJECT_DIR / name, app / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(PROJECT_DIR / name, app)
    [step] = [line for line in instructions("RUN") if "collectstatic" in line]
    step = step.replace("/tmp/build", str(app.parent / "build-data"))
    done = subprocess.run(["sh", "-c", step], cwd=app, env={"PATH": path}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
