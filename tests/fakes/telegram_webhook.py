"""How does a webhook get its updates? By POST, in order, each again and again until it is answered with 2xx."""

import asyncio
import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

from tests.fakes.telegram_refusal import Refused
from tests.fakes.telegram_updates import Json, Updates

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
ANSWER_S = 30.0
LOOPBACK = ("127.0.0.1", "localhost")  # the Bot API's local server takes these without TLS; Telegram's own takes https only


@dataclass
class Webhook:
    """The webhook in force; `url` is "" without one. `retry_s`: the first wait after a failure, doubled up to half a minute."""

    updates: Updates
    retry_s: float = 0.1
    url: str = ""
    params: Json = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)  # the status of each POST, 0 without an answer
    error: tuple[float, str] | None = None
    _task: "asyncio.Task[None] | None" = None

    def set(self, params: Json) -> bool:
        """setWebhook; an empty URL is deleteWebhook."""
        url, secret = str(params.get("url", "")), str(params.get("secret_token", ""))
        if not url:
            return self.delete(params)
        if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in LOOPBACK:
            raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if secret and not SECRET.fullmatch(secret):
            raise Refused(400, "Bad Request: secret token contains unallowed characters")
        if not 1 <= int(params.get("max_connections", 40)) <= 100:
            raise Refused(400, "Bad Request: max_connections is invalid")
        self._stop()
        self.url, self.params, self.error = url, params, None
        self._begin(params)
        self.updates.end_poll()
        self._task = asyncio.ensure_future(self._push())
        return True

    def delete(self, params: Json) -> bool:
        """deleteWebhook: updates wait for a poll again."""
        self._stop()
        self.url, self.params, self.error = "", {}, None
        self._begin(params)
        return True

    def info(self) -> Json:
        """getWebhookInfo."""
        found: Json = {"url": self.url, "has_custom_certificate": False, "pending_update_count": len(self.updates.waiting)}
        if self.url:
            found |= {"max_connections": int(self.params.get("max_connections", 40)), "ip_address": "127.0.0.1"}
            found |= {"allowed_updates": self.params["allowed_updates"]} if self.params.get("allowed_updates") else {}
        if self.error is not None:
            found |= {"last_error_date": int(self.error[0]), "last_error_message": self.error[1]}
        return found

    def _begin(self, params: Json) -> None:
        if params.get("drop_pending_updates") in (True, "true", "True"):
            self.updates.waiting.clear()
        if params.get("allowed_updates") is not None:
            self.updates.allow(params["allowed_updates"])

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = None

    async def _push(self) -> None:
        secret = self.params.get("secret_token")
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(ANSWER_S), headers={SECRET_HEADER: secret} if secret else {}) as session:
            wait_s = self.retry_s
            while True:
                update = await self.updates.first()
                status = await self._post(session, update)
                self.answers.append(status)
                if 200 <= status < 300:
                    self.updates.confirm(update["update_id"])
                    wait_s = self.retry_s
                    continue
                self.error = (time.time(), f"Wrong response from the webhook: {status}" if status else "Connection refused")
                await asyncio.sleep(wait_s)
                wait_s = min(30.0, 2 * wait_s)

    async def _post(self, session: aiohttp.ClientSession, update: Json) -> int:
        try:
            async with session.post(self.url, json=update) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return 0
