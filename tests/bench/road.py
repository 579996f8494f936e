"""How do the measurements run the real processes? Monitor, workers and beat on a scratch database, beside a fake Telegram and fake venues."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from monitors.market import Kind  # noqa: E402
from monitors.thresholds import Severity  # noqa: E402
from subscribers.models import OFF, Subscriber, Subscription  # noqa: E402
from tests import harness  # noqa: E402
from tests.fakes.telegram import FakeTelegram  # noqa: E402
from tests.fakes.venue_frames import Json, binance_force_order  # noqa: E402
from tests.fakes.venue_markets import BINANCE, Listing, Markets  # noqa: E402
from tests.fakes.venues import FakeVenues  # noqa: E402

TOKEN = "4242:bench"
CELERY = (sys.executable, "-m", "celery", "-q", "-A")
PRICE = Decimal(10)
FIRST_CHAT = 10_000
BATCH = 2_000


@dataclass
class Road:
    """What runs, and where it is fed and read."""

    venues: FakeVenues
    telegram: FakeTelegram
    processes: harness.Processes
    log: Path


@contextmanager
def road(assets: Sequence[str], latency_s: float) -> Iterator[Road]:
    """Everything between the socket and the Bot API, as `manage.py up` runs it; `assets` are watched. Ready when entered."""
    markets = Markets([Listing(BINANCE, f"{asset}USDT", asset, asset, "USDT", PRICE, Decimal(1_000_000), Decimal(1000)) for asset in assets])
    log = Path(settings.DATA_DIR, "processes.log")
    call_command("migrate", verbosity=0)
    with harness.valkey(), FakeVenues(markets=markets) as venues, FakeTelegram(token=TOKEN, latency_s=latency_s) as telegram, harness.Processes() as processes:
        env = {**venues.env, "VENUES": BINANCE, "ASSETS": ",".join(assets), "TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url}
        processes.celery_workers("alerts", concurrency=2, env=env, log=log)
        processes.celery_workers("delivery", env=env, log=log)
        processes.start(*CELERY, "alertsystem", "beat", env=env, log=log)
        processes.manage("watch_liquidations", env=env, log=log)
        venues.wait_for_subscribers([BINANCE], wait_s=60)
        yield Road(venues, telegram, processes, log)


def liquidation_of(asset: str, usd: int, at_ms: int) -> Json:
    """One long of `usd` dollars, as Binance's frame."""
    return binance_force_order(f"{asset}USDT", "SELL", Decimal(usd) / PRICE, PRICE, at_ms)


def subscribe(wanted: Mapping[int, str], severity: Severity = Severity.LOW) -> None:
    """Chats that want the liquidations of one asset each, and nothing else."""
    chats = [Subscriber(chat_id=chat, title=f"chat {chat}") for chat in wanted]
    Subscriber.objects.bulk_create(chats, batch_size=BATCH)
    Subscription.objects.bulk_create(
        [
            Subscription(subscriber=chat, kind=kind, asset=asset, lowest_severity=severity if asset and kind is Kind.LIQUIDATION else OFF)
            for chat in chats
            for kind in (Kind.LIQUIDATION, Kind.CASCADE)
            for asset in (wanted[chat.chat_id], "")
        ],
        batch_size=BATCH,
    )
