"""How does the fake take a request of the Bot API? The HTTP side: parameters, faults, limits, answers."""

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.fakes.server import HOST, Listener, LoopThread
from tests.fakes.telegram_chats import WRITING, Chats, Upload
from tests.fakes.telegram_limits import FloodLimits
from tests.fakes.telegram_refusal import Refused
from tests.fakes.telegram_updates import MAX_UPDATES, Json, Updates
from tests.fakes.telegram_webhook import Webhook

BOT = {"id": 4242, "is_bot": True, "first_name": "Alert bot", "username": "fake_alert_bot"}


@dataclass
class Request:
    """One request as it arrived: `at` monotonic and `at_epoch` seconds; `answered` is the status, 0 for no answer."""

    method: str
    chat_id: int | str | None
    text: str
    params: Json
    at: float
    at_epoch: float
    answered: int = 0
    accepted: bool = False
    description: str = ""


@dataclass
class Fault:
    """What happens to the next requests of `methods` instead of the usual answer."""

    methods: frozenset[str]
    times: int
    answer: Refused | None = None
    hang_s: float = 0.0
    accept: bool = False


@dataclass
class BotServer:
    """The server. `token`: any other is answered 401. `latency_s` is added to each answer."""

    token: str | None = None
    limits: FloodLimits = field(default_factory=FloodLimits)
    latency_s: float = 0.0
    port: int = 0
    journal: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chats = Chats(BOT)
        self.updates = Updates()
        self.webhook = Webhook(self.updates)
        self.chats.methods |= {"setWebhook": self.webhook.set, "deleteWebhook": self.webhook.delete, "getWebhookInfo": lambda _: self.webhook.info()}
        self.faults: deque[Fault] = deque()
        self.thread = LoopThread()
        self.listener = Listener(self._handle, self.port)

    def __enter__(self) -> Self:
        self.thread.start()
        self.thread.run(self.listener.open())
        self.port = self.listener.port
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.thread.run(self.listener.close())
        self.thread.stop()

    @property
    def url(self) -> str:
        """The value of TELEGRAM_API_URL."""
        return f"http://{HOST}:{self.port}"

    @property
    def base_url(self) -> str:
        """The `base_url` of python-telegram-bot."""
        return f"{self.url}/bot"

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        parts = http.path.strip("/").split("/")
        if parts[0] == "_fake":
            return await self.control(http, parts[-1])
        if len(parts) != 2 or not parts[0].startswith("bot"):
            return json_answer(404, {"ok": False, "error_code": 404, "description": "Not Found"})
        params = await _params(http)
        request = Request(parts[1], params.get("chat_id"), str(params.get("text", "")), params, time.monotonic(), time.time())
        self.journal.append(request)
        if self.token is not None and parts[0] != f"bot{self.token}":
            return self._refuse(request, Refused(401, "Unauthorized"))
        fault = self._take_fault(request.method)
        if fault is not None and not fault.answer:
            return await self._leave(http, request, fault)
        return await self._answer(request, fault)

    async def _answer(self, request: Request, fault: Fault | None) -> web.Response:
        try:
            result = None if fault and not fault.accept else await self._work(request)
            if fault and fault.answer:
                self.limits.pause(fault.answer.parameters.get("retry_after", 0), request.at)
                raise fault.answer
        except Refused as refusal:
            response = self._refuse(request, refusal)
        else:
            request.answered = 200
            response = json_answer(200, {"ok": True, "result": result})
        await asyncio.sleep(self.latency_s)
        return response

    async def _work(self, request: Request) -> Any:
        if request.method == "getUpdates":
            return await self._get_updates(request.params)
        if request.method in WRITING:
            self._pass_limits(request)
        result = self.chats.answer(request.method, request.params)
        request.accepted = True
        return result

    def _pass_limits(self, request: Request) -> None:
        wait = self.limits.paused(request.chat_id, request.at)
        if wait is None:
            self.chats.check(request.method, request.params)
            wait = self.limits.admit(request.chat_id, request.at)
        if wait is not None:
            raise Refused(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait})

    async def _get_updates(self, params: Json) -> list[Json]:
        if self.webhook.url:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
        number = {key: int(params.get(key, usual)) for key, usual in (("offset", 0), ("timeout", 0), ("limit", MAX_UPDATES))}
        found = await self.updates.poll(number["offset"], number["timeout"], number["limit"], params.get("allowed_updates"))
        if found is None:
            raise Refused(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
        return found

    async def _leave(self, http: web.Request, request: Request, fault: Fault) -> web.Response:
        try:
            if fault.accept:
                await self._work(request)
        except Refused as refusal:
            return self._refuse(request, refusal)
        await asyncio.sleep(fault.hang_s)
        if http.transport is not None:
            http.transport.close()
        return web.Response()

    def _refuse(self, request: Request, refusal: Refused) -> web.Response:
        request.answered, request.description = refusal.status, refusal.description
        body = {"ok": False, "error_code": refusal.status, "description": refusal.description}
        return json_answer(refusal.status, body | ({"parameters": dict(refusal.parameters)} if refusal.parameters else {}))

    def _take_fault(self, method: str) -> Fault | None:
        fault = next((fault for fault in self.faults if method in fault.methods), None)
        if fault is not None:
            fault.times -= 1
            if not fault.times:
                self.faults.remove(fault)
        return fault

    async def control(self, http: web.Request, name: str) -> web.Response:
        """Answer a request under /_fake; the plain server has no controls."""
        return json_answer(404, {"error": f"no control {name}"})


async def _params(http: web.Request) -> Json:
    """The parameters from the query, a form or JSON; values that hold JSON are decoded, as Telegram does."""
    if http.content_type == "application/json" and http.can_read_body:
        return {**http.query, **await http.json()}
    given: Json = {**http.query, **await http.post()}
    for name, value in list(given.items()):  # an upload may be named by another parameter: photo=attach://that
        if str(value).startswith("attach://") and isinstance(given.get(str(value)[9:]), web.FileField):
            given[name] = given.pop(str(value)[9:])
    return {name: _decoded(name, value) for name, value in given.items()}


def _decoded(name: str, value: object) -> Any:
    if isinstance(value, web.FileField):
        return Upload.of(value.filename, value.file.read())
    text = str(value)
    if name == "chat_id":
        return int(text) if text.lstrip("-").isdigit() else text
    return json.loads(text) if name not in ("text", "caption") and text[:1] in ("[", "{") else text


def json_answer(status: int, body: object) -> web.Response:
    """An answer with a JSON body."""
    return web.json_response(body, status=status)
