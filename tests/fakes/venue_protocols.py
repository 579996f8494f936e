"""What do the venues' sockets say and refuse? The protocols of Binance USD-M, Bybit linear and OKX public."""

import json
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.fakes.venue_frames import Json, binance_mark
from tests.fakes.venue_markets import BINANCE, BYBIT, OKX
from tests.fakes.venue_sockets import Client, VenueSockets

FORCE_ORDERS, MARKS = "!forceOrder@arr", "!markPrice@arr"
BINANCE_MESSAGES_PER_S = 10
BINANCE_MAX_STREAMS = 1024
BYBIT_MAX_ARGS = 21_000  # characters of all args of one connection

_ALIVE = re.compile(r"(?:^|/)market/(?:stream|ws(?:/(?P<raw>.+))?)$")
_DEAD = re.compile(r"(?:^|/)(?:stream|ws(?:/.+)?)$")


class BinanceSockets(VenueSockets):
    """`/market/stream?streams=a/b` and `/market/ws/a`; the paths without /market connect and stay silent for ever."""

    marks = True

    def greet(self, client: Client, http: web.Request) -> bool:
        found = _ALIVE.search(http.path)
        client.dead = found is None and _DEAD.search(http.path) is not None
        streams = http.query.get("streams", "").split("/") + ((found["raw"] or "").split("/") if found else [])
        client.topics = {stream for stream in streams if stream}
        return (found is not None or client.dead) and len(client.topics) <= BINANCE_MAX_STREAMS

    async def hear(self, client: Client, text: str) -> None:
        request = _json(text)
        names = set(request.get("params") or [])
        if request.get("method") == "SUBSCRIBE":
            client.topics |= names
        elif request.get("method") == "UNSUBSCRIBE":
            client.topics -= names
        elif request.get("method") != "LIST_SUBSCRIPTIONS":
            await client.say({"error": {"code": 2, "msg": "Invalid request: unknown variant"}, "id": request.get("id")})
            return
        listed = sorted(client.topics) if request["method"] == "LIST_SUBSCRIPTIONS" else None
        await client.say({"result": listed, "id": request.get("id")})

    async def admit(self, client: Client) -> bool:
        """Pings and pongs count as well, as documented."""
        recent = [at for at, _ in client.received[-BINANCE_MESSAGES_PER_S - 1 :] if at > client.heard_at - 1.0]
        if len(recent) <= BINANCE_MESSAGES_PER_S:
            return True
        await self.drop(client, "Too many requests")
        return False

    def overdue(self, client: Client, now: float) -> str:
        return "no pong" if now - client.ponged_at > self.timing.binance_pong_wait else ""

    def frame_for(self, client: Client, payload: Any) -> Any:
        stream = MARKS if isinstance(payload, list) else _own_stream(client, payload)
        if stream not in client.topics:
            return None
        return {"stream": stream, "data": payload} if client.path.endswith("/stream") else payload

    async def chore(self, client: Client, now: float) -> None:
        if not self.frozen and _due(client, "ping", self.timing.binance_ping, now):
            await client.socket.ping(str(int(time.time() * 1000)).encode())
        marks_wanted = self.marks and not (client.dead or self.stalled or self.frozen) and MARKS in client.topics
        if marks_wanted and _due(client, "marks", self.timing.binance_marks, now):
            await client.say(self.frame_for(client, self.mark_prices()))

    def mark_prices(self) -> list[Json]:
        """The mark prices of everything listed."""
        now_ms = int(time.time() * 1000)
        return [binance_mark(listing.symbol, listing.price, now_ms) for listing in self.markets.of(BINANCE)]


class BybitSockets(VenueSockets):
    """`/v5/public/linear`: explicit topics, and a ping operation of its own."""

    paths = ("/v5/public/linear",)

    async def hear(self, client: Client, text: str) -> None:
        request = _json(text)
        operation, topics = request.get("op"), [str(topic) for topic in request.get("args") or []]
        if operation == "ping":
            await client.say(_bybit("ping", request, message="pong"))
        elif operation == "subscribe":
            problem = self._problem(client, topics)
            client.topics |= set() if problem else set(topics)
            await client.say(_bybit("subscribe", request, message=problem, success=not problem))
        elif operation == "unsubscribe":
            client.topics -= set(topics)
            await client.say(_bybit("unsubscribe", request))
        else:
            await client.say(_bybit(str(operation or ""), request, message="error:request type is invalid", success=False))

    def overdue(self, client: Client, now: float) -> str:
        return "no heartbeat" if now - client.heard_at > self.timing.bybit_silence else ""

    def frame_for(self, client: Client, payload: Any) -> Any:
        return payload if payload.get("topic") in client.topics else None

    def _problem(self, client: Client, topics: list[str]) -> str:
        for topic in topics:
            kind, _, symbol = topic.partition(".")
            if kind not in ("allLiquidation", "tickers") or self.markets.find(BYBIT, symbol) is None:
                return f"error:handler not found,topic:{topic}"
        total = len(json.dumps([*client.topics, *topics], separators=(",", ":")))
        return f"error:args length {total} is over {BYBIT_MAX_ARGS}" if total > BYBIT_MAX_ARGS else ""


class OkxSockets(VenueSockets):
    """`/ws/v5/public`: channels as objects, text ping and pong, and a backlog after subscribing."""

    paths = ("/ws/v5/public",)
    backlog: Json | None = None

    async def hear(self, client: Client, text: str) -> None:
        if text == "ping":
            await client.say("pong")
            return
        request = _json(text)
        operation = request.get("op")
        if operation not in ("subscribe", "unsubscribe") or not isinstance(request.get("args"), list):
            await client.say({"event": "error", "code": "60012", "msg": f"Invalid request: {text}", "connId": _connection(client)})
            return
        for arg in request["args"]:
            await self._subscribe(client, arg, operation)

    async def _subscribe(self, client: Client, arg: Mapping[str, str], operation: str) -> None:
        channel = (arg.get("channel"), arg.get("instType"))
        if channel != ("liquidation-orders", "SWAP"):
            words = f"Wrong URL or channel:{arg.get('channel')},instType:{arg.get('instType')} doesn't exist."
            await client.say({"event": "error", "code": "60018", "msg": words, "connId": _connection(client)})
            return
        (client.topics.add if operation == "subscribe" else client.topics.discard)("liquidation-orders")
        await client.say({"event": operation, "arg": dict(arg), "connId": _connection(client)})
        if operation == "subscribe" and self.backlog is not None and not self.stalled:
            await client.say(self.backlog)

    def overdue(self, client: Client, now: float) -> str:
        """Protocol pings do not keep a connection alive: only text counts."""
        said = next((at for at, text in reversed(client.received) if not text.startswith("<")), client.connected_at)
        return "no data for 30 s" if now - said > self.timing.okx_silence else ""

    def frame_for(self, client: Client, payload: Any) -> Any:
        return payload if payload.get("arg", {}).get("channel") in client.topics else None


PROTOCOLS: Mapping[str, type[VenueSockets]] = {BINANCE: BinanceSockets, BYBIT: BybitSockets, OKX: OkxSockets}


def _own_stream(client: Client, payload: Json) -> str:
    single = f"{payload.get('o', {}).get('s', '').lower()}@forceOrder"
    return single if single in client.topics else FORCE_ORDERS


def _due(client: Client, name: str, every_s: float, now: float) -> bool:
    if now - client.done_at.setdefault(name, client.connected_at) < every_s:
        return False
    client.done_at[name] = now
    return True


def _bybit(operation: str, request: Json, message: str = "", success: bool = True) -> Json:
    named = {"req_id": request["req_id"]} if "req_id" in request else {}
    return {"success": success, "ret_msg": message, "conn_id": str(uuid.uuid4()), **named, "op": operation}


def _connection(client: Client) -> str:
    return f"{id(client) & 0xFFFFFFFF:08x}"


def _json(text: str) -> Json:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
