"""May a webhook lead there? Only public addresses, checked on the very address that is connected to, so that no name can be turned afterwards."""

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

MAX_URL = 500
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
# IPv6 ranges that carry an IPv4 address which could be anything (RFC 6052, RFC 8215, RFC 3056, RFC 4380)
CARRIERS = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96"))


class Forbidden(ValueError):
    """Where no webhook may lead; the text says what to change."""


def checked_url(text: str, *, allow_private: bool) -> str:
    """The address as it is kept; Forbidden when it can be seen already that it will not do."""
    url = text.strip()
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").removesuffix("."), parts.port  # with the dot at its end it is the same name
    except ValueError:
        raise Forbidden("that is not an address") from None
    if len(url) > MAX_URL or parts.scheme not in ("http", "https") or not host or port == 0 or set(url) & set(" \t\r\n\\\x00") or not url.isascii():
        raise Forbidden(f"an address begins with https:// or http://, is ASCII and has at most {MAX_URL} characters")
    if parts.username is not None or parts.password is not None:
        raise Forbidden("an address with a password in it is not taken: requests are signed instead")
    if not allow_private and (host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or _is_private_literal(host)):
        raise Forbidden("private and loopback addresses are not taken")
    return url


def is_public(address: IPAddress) -> bool:
    """Whether an address is of the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in carrier for carrier in CARRIERS):
            return False
        if address.is_site_local:  # deprecated, and counted as global by Python
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def public_pools() -> dict[str, Any]:
    """The connection pools by scheme for urllib3's PoolManager, which connect to public addresses only."""
    return {"http": _PublicHTTPPool, "https": _PublicHTTPSPool}


def _is_private_literal(host: str) -> bool:
    try:
        return not is_public(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:  # 127.1, 0x7f000001, 2130706433: what the resolver takes for an IPv4 address
        return not is_public(ipaddress.IPv4Address(socket.inet_aton(host)))
    except OSError:
        return False


def _connect(connection: HTTPConnection) -> socket.socket:
    """A socket to the first public address of the name; resolved once, checked, and then that one is used. Forbidden when it has none."""
    try:
        found = socket.getaddrinfo(connection.host.strip("[]"), connection.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # a..b is no name at all
        raise NewConnectionError(connection, f"the name cannot be resolved: {error}") from error
    public = [entry for entry in found if is_public(ipaddress.ip_address(str(entry[4][0]).split("%")[0]))]
    if not public:
        raise Forbidden("the name leads to a private address")
    timeout = connection.timeout if isinstance(connection.timeout, int | float) else None
    try:
        return socket.create_connection((str(public[0][4][0]), connection.port), timeout)
    except OSError as error:
        raise NewConnectionError(connection, f"no connection: {error}") from error


class _PublicHTTP(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _PublicHTTPS(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _PublicHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PublicHTTP


class _PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPS
