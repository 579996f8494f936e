"""How fast can frames come? A bare WebSocket server that sends prepared liquidation frames as fast as the receiver takes them.

`python -m tests.bench.blaster VENUE FRAMES` prints its port. Each connection gets the same frames, stamped anew.
"""

import base64
import hashlib
import itertools
import json
import math
import random
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tests.fakes.venue_frames import binance_force_order, binance_mark, bybit_liquidations, okx_liquidations
from tests.fakes.venue_markets import BINANCE, BYBIT, Listing, Markets

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455
SPAN_MS = 50_000  # the frames tell of so long a time, as a flood does; older than 60 s they would not count
MARKS_EVERY = 10_000  # Binance: one array of mark prices among so many frames, as in a flood of 3,000 a second
MEDIAN_USD, SIGMA = 900.0, 2.0  # half of the recorded events are under $1k


def frames(venue: str, count: int, now_ms: int) -> Iterator[bytes]:
    """`count` frames of the venue as on the wire, oldest first, each event different."""
    dice, markets = random.Random(7), Markets()
    listings = [listing for listing in markets.of(venue) if listing.kind == "coin" and listing.term == "perpetual" and not listing.inverse and listing.trading]
    weights = [listing.turnover_usd for listing in listings]
    for number in range(count):
        at_ms = now_ms - SPAN_MS + SPAN_MS * number // count
        listing = dice.choices(listings, [float(weight) for weight in weights])[0]
        usd = Decimal(dice.lognormvariate(math.log(MEDIAN_USD), SIGMA)).quantize(Decimal("0.01"))
        price = (listing.price * Decimal(dice.uniform(0.99, 1.01))).quantize(Decimal("0.00000001"))
        if venue == BINANCE and number % MARKS_EVERY == 0:
            yield _encoded({"stream": "!markPrice@arr", "data": [binance_mark(listed.symbol, listed.price, at_ms) for listed in listings]})
        else:
            yield _encoded(_frame(venue, listing, usd / price, price, at_ms, dice.random() < 0.6))


def _frame(venue: str, listing: Listing, coins: Decimal, price: Decimal, at_ms: int, long: bool) -> Any:
    coins = (coins / Decimal(listing.contract_size)).quantize(Decimal("0.00001")) + Decimal("0.00001")
    if venue == BINANCE:
        return {"stream": "!forceOrder@arr", "data": binance_force_order(listing.symbol, "SELL" if long else "BUY", coins, price, at_ms)}
    if venue == BYBIT:
        return bybit_liquidations([("Buy" if long else "Sell", coins, price, at_ms)], listing.symbol)
    return okx_liquidations([("sell" if long else "buy", "long" if long else "short", coins, price, at_ms)], listing.symbol)


def _encoded(payload: Any) -> bytes:
    data = json.dumps(payload, separators=(",", ":")).encode()
    length = len(data)
    head = bytes([0x81, length]) if length < 126 else struct.pack("!BBH", 0x81, 126, length) if length < 65_536 else struct.pack("!BBQ", 0x81, 127, length)
    return head + data


def serve(venue: str, count: int) -> None:
    """Accept connections for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_blast, args=(connection, venue, count), daemon=True).start()


def _blast(connection: socket.socket, venue: str, count: int) -> None:
    stream = list(frames(venue, count, int(time.time() * 1000)))
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(4096)
    key = next(line.split(b":", 1)[1].strip() for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
    try:
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        for start in itertools.count(step=200):
            if not (part := stream[start : start + 200]):
                break
            connection.sendall(b"".join(part))
        while connection.recv(4096):  # until the receiver has had enough
            pass
    except OSError:
        return


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
