"""How does the web process serve? One worker with a few threads, and the product's own log lines."""

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from alertsystem import settings
from alertsystem.parenthood import die_with_parent

workers = 1
threads = 4
worker_class = "gthread"
graceful_timeout = 3  # s
control_socket_disable = True
loglevel = "warning"
logconfig_dict = settings.LOGGING


def post_fork(server: Arbiter, worker: Worker) -> None:
    """In the forked worker: do not outlive a killed master."""
    die_with_parent(server.pid)
