"""Does the admin show how the scans do: live, blind and why, paused until when?"""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitors.models import CandleRow, EpisodeState, FeedStatus, Market, OpenInterestSample, OwnHistory, ScanStatus
from monitors.sight import blindness

pytestmark = pytest.mark.django_db


def page(admin_client: Client, model: str) -> str:
    return admin_client.get(reverse(f"admin:monitors_{model}_changelist")).content.decode()


def test_every_page_of_the_scans_shows_its_rows_and_changes_nothing(admin_client: Client) -> None:
    now = timezone.now()
    market = Market.objects.create(venue="okx", venue_symbol="BTC-USDT-SWAP", symbol="BTC/USDT:USDT", asset="BTC", refreshed_at=now)
    OpenInterestSample.objects.create(market=market, oi_base=Decimal(100), mark_price=Decimal(62_310), occurred_at=now, received_at=now)
    CandleRow.objects.create(market=market, opened_at=now, open=100, close=101, volume_usd=5e6, closed=True, received_at=now)
    EpisodeState.objects.create(kind="open_interest", asset="BTC", direction="UP", index=2, peak=Decimal("1.25"))
    OwnHistory.objects.create(asset="BTC", days=9, low=0.5, moderate=1, high=2, usual_price_move=0.2, updated_at=now)
    ScanStatus.objects.create(venue="okx", kind="volume", succeeded_at=now, contracts=3)
    shown = {"openinterestsample": "$6,231,000", "candlerow": "+1.00 %", "episodestate": "1.25 %", "ownhistory": "BTC", "scanstatus": "live"}
    for model, text in shown.items():
        assert text in page(admin_client, model), model
        assert admin_client.get(reverse(f"admin:monitors_{model}_add")).status_code == 403


def test_a_pause_is_shown_with_its_end_in_the_list_and_on_the_first_page(admin_client: Client) -> None:
    until = timezone.now() + timedelta(minutes=7)
    ScanStatus.objects.create(venue="binance", kind="open_interest", paused_until=until, note="status 418", failed={"limit reached": 2})
    FeedStatus.objects.create(venue="binance", state="live", updated_at=timezone.now(), last_data_at=timezone.now())
    for shown in (page(admin_client, "scanstatus"), page(admin_client, "feedstatus"), admin_client.get(reverse("admin:index")).content.decode()):
        assert f"paused until {until:%H:%M:%S} UTC; status 418" in shown
    assert "limit reached: 2" in page(admin_client, "scanstatus")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({}, "no scan has brought data yet"),
        ({"note": "no answer"}, "no answer"),
        ({"succeeded_at": timedelta(seconds=100)}, ""),
        ({"succeeded_at": timedelta(seconds=100), "note": "one time-out"}, ""),
        ({"succeeded_at": timedelta(seconds=200)}, "no data since"),
        ({"succeeded_at": timedelta(seconds=1), "paused_until": timedelta(seconds=-9)}, "paused until"),
        ({"succeeded_at": timedelta(seconds=1), "paused_until": timedelta(seconds=9)}, ""),
    ],
)
def test_a_venue_is_blind_while_it_is_paused_or_two_scans_were_missed(row: dict[str, object], words: str) -> None:
    now = timezone.now()
    status = ScanStatus(venue="okx", kind="volume", **{name: now - value if isinstance(value, timedelta) else value for name, value in row.items()})
    why = blindness(status, now)
    assert why.startswith(words) if words else not why
