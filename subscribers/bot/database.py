"""How does the bot's event loop ask the database? In the one thread for it, on a connection that is alive."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError, close_old_connections

P = ParamSpec("P")
T = TypeVar("T")


async def in_database(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of `function`; tried once more on a new connection when the old one had died (a restarted server)."""

    def work() -> T:
        return function(*args, **kwargs)

    return await sync_to_async(_on_live_connection, thread_sensitive=True)(work)


def _on_live_connection(work: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return work()
    except (OperationalError, InterfaceError):
        close_old_connections()  # Django closes a connection that has had an error only when asked
        return work()
    finally:
        close_old_connections()
