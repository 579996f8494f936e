"""How does an alert reach a webhook? One signed POST; what its answer means to us."""

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import requests
from django.utils import timezone
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import LocationValueError

from alerts.channels.addresses import Forbidden, checked_url, public_pools
from alerts.channels.base import RetryLater, Undeliverable
from monitors.venues.clients import retry_after_s

CONNECT_S, READ_S, IN_ALL_S = 3.0, 5.0, 10.0
RETRY_S = 15.0
LONGEST_WAIT_S = 3600.0  # of what Retry-After may ask for
RETRIED = frozenset({408, 425, 429})
AGENT = "alertsystem-webhook/1"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """v1 of the signature: HMAC-SHA256 over "timestamp.body", in hex."""
    return "v1=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def post(url: str, secret: str, delivery_id: int, payload: Mapping[str, Any], *, allow_private: bool) -> None:
    """Send; returns when any 2xx came. RetryLater: not taken, try again; Undeliverable: this message never will be.

    Redirects are not followed and the answer's body is not read: a receiver cannot lead us anywhere or keep us busy for longer than IN_ALL_S.
    """
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json; charset=utf-8", "User-Agent": AGENT, "Connection": "close",
        "X-Alert-Delivery": str(delivery_id), "X-Alert-Timestamp": timestamp, "X-Alert-Signature": signature(secret, timestamp, body),
    }  # fmt: skip
    try:
        status, retry_after = _status(checked_url(url, allow_private=allow_private), body, headers, allow_private=allow_private)
    except Forbidden as error:
        raise Undeliverable(str(error)) from None
    except (requests.RequestException, LocationValueError) as error:
        raise RetryLater(RETRY_S, f"no answer ({type(error).__name__})") from error
    if status >= 500 or status in RETRIED:
        raise RetryLater(_wait_s(retry_after), f"it answered {status}")
    if not 200 <= status < 300:
        raise Undeliverable(f"it answered {status}")


def _status(url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool) -> tuple[int, str]:
    """The answer's status and Retry-After."""
    with requests.Session() as session, _Deadline() as deadline:
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter(deadline, allow_private=allow_private))
        with session.post(url, data=body, headers=dict(headers), timeout=(CONNECT_S, READ_S), allow_redirects=False, stream=True) as answer:
            return answer.status_code, answer.headers.get("Retry-After", "")


class _Adapter(HTTPAdapter):
    """Connects to public addresses only, unless private ones are allowed; its connections end with the deadline."""

    def __init__(self, deadline: "_Deadline", *, allow_private: bool) -> None:
        super().__init__()
        if not allow_private:
            self.poolmanager.pool_classes_by_scheme = public_pools()
        self._deadline = deadline

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """requests' hook for the pool of a request: its connections are watched."""
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        self._deadline.watch(pool)
        return pool


class _Deadline:
    """Cuts the connection after IN_ALL_S: a read time-out alone starts anew with each byte."""

    def __init__(self) -> None:
        self._connections: list[HTTPConnection] = []
        self._timer = threading.Timer(IN_ALL_S, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "_Deadline":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def watch(self, pool: Any) -> None:
        """Remember the connections that the pool opens."""
        plain = pool.ConnectionCls

        def opened(*args: Any, **kwargs: Any) -> HTTPConnection:
            connection: HTTPConnection = plain(*args, **kwargs)
            self._connections.append(connection)
            return connection

        pool.ConnectionCls = opened

    def _cut(self) -> None:
        for connection in self._connections:
            if connection.sock is not None:
                with suppress(OSError):  # closed already
                    connection.sock.shutdown(socket.SHUT_RDWR)


def _wait_s(retry_after: str) -> float:
    """Seconds of a Retry-After header, within bounds; the usual wait without one."""
    return min(retry_after_s(retry_after, timezone.now()) or RETRY_S, LONGEST_WAIT_S)
