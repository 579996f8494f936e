"""What the bot answers to who looks back: /recent, /alert, /why and /whynot, as a subscriber reads it."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.models import Alert, Vote
from monitors.market import Kind
from monitors.models import BlindSpot, FeedStatus, Market, ScanStatus, Signal
from monitors.thresholds import Severity
from subscribers import services
from subscribers.bot.commands import BUTTON, COMMAND
from subscribers.bot.screen import Asked, Chat, Reply
from subscribers.models import Subscriber
from tests.alerts.builders import make_alert, make_delivery, make_subscriber
from tests.subscribers import stories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 7, 11, 12, 20, tzinfo=UTC)
ANN, BOB = 1001, 1002


def ask(command: str, args: str = "", chat_id: int = ANN) -> Reply:
    return COMMAND[command].answer(Asked(Chat(chat_id, "private", "Ann"), chat_id, args, NOW))


def press(data: str, chat_id: int = ANN) -> Reply:
    name, _, args = data.partition(":")
    return BUTTON[name].answer(Asked(Chat(chat_id, "private", "Ann"), chat_id, args, NOW, message_id=5))


def labels(reply: Reply) -> list[str]:
    return [label for row in reply.keyboard for label, _ in row]


def button(reply: Reply, label: str) -> str:
    return next(data for row in reply.keyboard for found, data in row if found == label)


def story() -> Alert:
    return stories.cascade_of_longs(NOW)


def signal_at(minutes_ago: float, value: int = 600_000, asset: str = "BTC", kind: Kind = Kind.CASCADE) -> Signal:
    return stories.signal(NOW, minutes_ago, value, asset, kind)


# /recent


def test_recent_shows_each_alert_with_its_age_its_outcome_and_a_link() -> None:
    alert = story()
    assert ask("recent").text.splitlines() == [
        "<b>Last alerts</b>",
        "",
        "🔴 HIGH BTC cascade: longs liquidated ▼ $5.2M",
        f"16 min ago, 15 min later −2.1 %, /alert_{alert.pk}",
    ]


def test_recent_is_turned_page_by_page_in_place() -> None:
    make_subscriber(ANN)
    alerts = [make_alert(signal_at(minutes, asset=f"A{minutes}")) for minutes in range(20, 0, -1)]
    first = ask("recent")
    assert labels(first) == ["older ›", "Show only what this chat got"] and not first.edit
    second = press(button(first, "older ›"))
    make_alert(signal_at(0.5, asset="NEW"))
    assert second.edit and labels(second)[:2] == ["‹ newer", "older ›"]
    assert [line.split()[2] for line in second.text.splitlines() if "cascade" in line] == [alert.asset for alert in alerts[::-1][8:16]]
    assert press(button(second, "‹ newer")).text == first.text, "the page stays what it was, though a new alert came"
    third = press(button(second, "older ›"))
    assert labels(third)[0] == "‹ newer" and "older ›" not in labels(third)


def test_recent_takes_its_filters_in_any_order_and_keeps_them_through_pages_and_mine() -> None:
    ann = make_subscriber(ANN)
    for number in range(9):
        make_alert(signal_at(number), Severity.HIGH, fingerprint=f"x{number}")
    mine = make_alert(signal_at(30), Severity.EXTREME, fingerprint="mine")
    make_delivery(ann, Severity.EXTREME, mine, state="sent")
    for words in ("btc cascade high", "HIGH Cascades BTC"):
        assert ask("recent", words).text.startswith("<b>Last alerts of BTC, cascades, from HIGH</b>")
    older = press(button(ask("recent", "btc cascade high"), "older ›"))
    assert older.text.startswith("<b>Last alerts of BTC, cascades, from HIGH</b>")
    own = press(button(older, "Show only what this chat got"))
    assert own.text.startswith("<b>Last alerts of BTC, cascades, from HIGH, that this chat got</b>")
    assert own.text.count("/alert_") == 1 and f"/alert_{mine.pk}" in own.text
    assert press(button(own, "Show all alerts")).text == ask("recent", "btc cascade high").text
    assert ask("recent", "mine Open Interest").text == "<b>Last alerts, open interest, that this chat got</b>\n\nNone yet."


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("BTC ETH", "One asset at a time: BTC or ETH."),
        ("oi cascade", "One kind at a time: liquidation, cascade, oi or volume."),
        ("<b>", "Asset: letters and digits only, like BTC; got &lt;B&gt;. Leave it empty for any other asset."),
        ("BTCUSDT", "Asset: write the asset only, BTC instead of BTCUSDT."),
        ("X" * 3000, "Asset: no asset has such a long name."),
    ],
)
def test_recent_says_what_it_does_not_understand(words: str, problem: str) -> None:
    assert ask("recent", words).text.splitlines()[0] == problem


def test_an_asset_that_is_called_like_a_severity_is_found_by_its_second_mention() -> None:
    assert ask("recent", "HIGH HIGH").text.startswith("<b>Last alerts of HIGH, from HIGH</b>")


def test_a_button_fits_telegrams_limit_whatever_the_filter() -> None:
    make_subscriber(ANN)
    asset = "币" * 13
    for number in range(20):
        make_alert(signal_at(number, asset=asset), Severity.HIGH, fingerprint=f"x{number}")
    data = [data for row in ask("recent", f"{asset} cascade HIGH").keyboard for _, data in row]
    assert len(data) == 2 and max(len(each.encode()) for each in data) <= 64


@pytest.mark.parametrize(
    "data", ["r", "r:", "r:o", "r:ox:c3a:BTC", "r:o5:z3a:BTC", "r:o5:c9a:BTC", "r:o5:c3:BTC", "r:²:c:<b>", f"r:o{'9' * 40}:c3a:BTC", "r::--a:BTC"]
)
def test_a_button_that_nobody_made_is_told_so(data: str) -> None:
    make_alert(signal_at(1))
    reply = press(f"r:{data}")
    assert reply.toast == "This button is too old. /settings shows what this chat gets, /help all commands." or reply.text.startswith("<b>Last alerts")


def test_recent_of_this_chat_needs_a_subscription() -> None:
    assert ask("recent", "mine").text == "This chat gets no alerts. /start subscribes it."


# /alert


def test_alert_tells_the_whole_story_in_the_chats_own_time() -> None:
    ann, alert = make_subscriber(ANN, time_zone="Europe/Zurich"), story()
    signals = [decision.signal for decision in alert.decisions.order_by("signal__received_at")]
    stories.sent(ann, alert, signals[0], Severity.LOW)
    stories.sent(ann, alert, signals[1], Severity.HIGH, state="held", reason="quiet hours", held_until=NOW + timedelta(minutes=5), sent_at=None)
    Vote.objects.create(alert=alert, subscriber=ann, useful=True)
    assert ask("alert", str(alert.pk)).text.splitlines() == [
        f"<b>🔴 #{alert.pk} HIGH BTC cascade: longs liquidated ▼ $5.2M</b>",
        "14:03:59 to 14:04:59, over",
        "",
        "<b>What happened</b>",
        "14:03:59 opened at LOW: $600k",
        "14:04:29 escalated at HIGH: $5.2M, the largest",
        "and 1 other signal",
        "14:09:59 over, after 300 s without a signal of LOW or more",
        "",
        "<b>What the price did</b>",
        "5 min later −1.2 %, between −3.0 % and +0.2 %",
        "15 min later −2.1 %, between −3.0 % and +0.2 %",
        "1 h later: not known yet",
        "",
        "<b>This chat</b>",
        "LOW: sent at 14:04:00",
        "HIGH: held back (quiet hours), the digest comes at 14:25",
        "",
        "Votes: 1 useful, 0 noise",
        "",
        "Times are Europe/Zurich.",
    ]


def test_alert_shows_nothing_of_other_chats() -> None:
    bob, alert = make_subscriber(BOB, title="Bob's desk"), story()
    assert "<b>This chat</b>\nIt is not subscribed. /start subscribes it." in ask("alert", str(alert.pk)).text
    make_subscriber(ANN)
    stories.sent(bob, alert, alert.peak, Severity.HIGH)
    said = ask("alert", str(alert.pk)).text
    assert "<b>This chat</b>\nNothing was sent to it. <code>/whynot BTC 12:03</code> says why." in said
    assert "Bob" not in said


def test_alert_without_a_number_is_the_newest_that_the_chat_got() -> None:
    ann = make_subscriber(ANN)
    assert ask("alert").text == "This chat has had no alert yet. /recent shows the last ones."
    mine, _ = story(), make_alert(asset="ETH")
    stories.sent(ann, mine, mine.peak, Severity.HIGH)
    assert f"#{mine.pk} " in ask("alert").text and f"#{mine.pk} " in ask("alert", f"#{mine.pk}").text
    assert button(ask("alert"), "Why?") == f"w:{mine.pk}"


@pytest.mark.parametrize("number", ["0", "99999", "-1", "x", "<b>1</b>", "9" * 500, "1 2", "²"])
def test_a_number_that_is_none_is_said_politely(number: str) -> None:
    for command in ("alert", "why"):
        said = ask(command, number).text
        assert said.startswith("There is no alert <b>") and f"<code>/{command} 17</code>" in said and len(said) < 400


def test_somebodys_own_threshold_is_not_for_others() -> None:
    ann, own = make_subscriber(ANN), make_alert(signal_at(3, 300_000), Severity.BELOW_LOW)
    stories.sent(ann, own, own.peak, Severity.BELOW_LOW)
    assert ask("alert", str(own.pk)).text.startswith("<b>🔔")
    assert ask("alert", str(own.pk), BOB).text.startswith("There is no alert")
    assert ask("why", str(own.pk), BOB).text.startswith("There is no alert")


# /why


def test_why_gives_the_numbers_the_rule_and_the_milliseconds() -> None:
    ann, alert = make_subscriber(ANN), story()
    stories.sent(ann, alert, alert.peak, Severity.HIGH)
    answer = ask("why")
    assert answer.text.splitlines() == [
        f"<b>#{alert.pk} HIGH BTC cascade: longs liquidated ▼ $5.2M</b>",
        "",
        "<b>Measured</b>",
        "Longs liquidated: $5,237,412.00, 7 events in 30 s",
        "",
        "<b>Decided by</b>",
        "System's rule for cascades of any other asset: LOW $500,000, MODERATE $1,500,000, HIGH $5,000,000, EXTREME $12,000,000",
        "By the rule: HIGH is reached",
        "",
        "<b>Venues</b>",
        "Bybit: $5,237,412.00",
        "",
        "<b>Confirmed</b>",
        "1 of 3 live venues that list it confirm (at least 10 % of the dollars); 1 asked for",
        "",
        "<b>The way of the message</b>",
        "Venue's stamp 12:04:29.780",
        "Received 12:04:29.980 (+200 ms)",
        "Detected 12:04:30.000 (+20 ms)",
        "Queued 12:04:30.008 (+8 ms)",
        "Sent 12:04:30.120 (+112 ms)",
        "140 ms from received to sent",
        "",
        "Times are UTC.",
    ]
    assert press(f"w:{alert.pk}").text == answer.text


def test_milliseconds_add_up_and_a_venues_clock_may_be_ahead() -> None:
    ann, alert = make_subscriber(ANN), story()
    at = datetime(2026, 7, 11, 12, 4, 30, 999, tzinfo=UTC)
    stamps = [at + timedelta(microseconds=us) for us in (20_001, 0, 1_002, 2_001, 3_001)]
    names = ("event_at", "received_at", "detected_at", "queued_at", "sent_at")
    stories.sent(ann, alert, alert.peak, Severity.HIGH, **dict(zip(names, stamps, strict=True)))
    assert ask("why").text.splitlines()[-8:-2] == [
        "Venue's stamp 12:04:30.021",
        "Received 12:04:30.000 (−21 ms: clocks differ)",
        "Detected 12:04:30.002 (+2 ms)",
        "Queued 12:04:30.003 (+1 ms)",
        "Sent 12:04:30.004 (+1 ms)",
        "4 ms from received to sent",
    ]


def test_why_names_the_own_threshold() -> None:
    ann, alert = make_subscriber(ANN), story()
    ann.subscriptions.update(custom_threshold=2_500_000)
    stories.sent(ann, alert, alert.peak, Severity.HIGH)
    assert "Your own threshold: $2,500,000 is reached; for you it takes the place of the system's" in ask("why").text


def test_why_of_what_was_not_sent_says_how_far_it_came() -> None:
    ann, alert = make_subscriber(ANN), story()
    assert ask("why", str(alert.pk)).text.splitlines()[-4:] == [
        "Decided 12:04:30.003 (+3 ms)",
        "Nothing was sent to this chat; /whynot says why",
        "",
        "Times are UTC.",
    ]
    stories.sent(ann, alert, alert.peak, Severity.HIGH, state="expired", reason="not sent in time", sent_at=None)
    assert ask("why", str(alert.pk)).text.splitlines()[-4:] == ["Queued 12:04:30.008 (+8 ms)", "not sent in time", "", "Times are UTC."]


# /whynot


def list_bitcoin() -> None:
    Market.objects.create(venue="bybit", venue_symbol="BTCUSDT", symbol="BTC/USDT:USDT", asset="BTC", refreshed_at=NOW)


def test_whynot_tells_of_each_strong_signal_what_became_of_it() -> None:
    list_bitcoin()
    ann, alert = make_subscriber(ANN, Severity.MODERATE, time_zone="Europe/Zurich"), story()
    stories.sent(ann, alert, alert.peak, Severity.HIGH)
    single = signal_at(14, 900_000, kind=Kind.LIQUIDATION)
    stories.decided(alert, single, "updated", Severity.LOW)
    services.record_change(ann, NOW - timedelta(hours=1))
    Subscriber.objects.update(created_at=NOW - timedelta(days=1))
    assert ask("whynot", "btc 14:05").text.splitlines() == [
        "<b>BTC, 13:50 to 14:20</b>",
        "",
        "🔴 14:04:29 HIGH BTC cascade: longs liquidated ▼ $5.2M",
        f"It did reach this chat: sent at 14:04:30; /alert_{alert.pk}",
        "",
        "🟡 14:05:59 LOW BTC liquidation: longs liquidated ▼ $900k",
        f"Part of an incident of which this chat had a message, sent at 14:04:30; /alert_{alert.pk}",
        "",
        "Of BTC only what reached this was kept: liquidations $200,000, cascades $250,000, open interest 0.275 %, volume 200 %.",
        "",
        "Times are Europe/Zurich.",
    ]


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        ("held", "muted", "Held back (muted), told in the digest of 12:10:00"),
        ("expired", "not sent in time", "Not sent in time, told in the digest of 12:10:00"),
        ("expired", "it answered 503", "Not sent in time (it answered 503), told in the digest of 12:10:00"),
        ("failed", "blocked", "Not sent: blocked"),
    ],
)
def test_what_only_a_digest_told_did_not_reach_the_chat_in_time(state: str, reason: str, words: str) -> None:
    ann, alert = make_subscriber(ANN), story()
    Subscriber.objects.update(created_at=NOW - timedelta(days=1))
    told = state in ("held", "expired")
    digest = make_delivery(ann, purpose="digest", state="sent", sent_at=NOW - timedelta(minutes=10)) if told else None
    stories.sent(ann, alert, alert.peak, Severity.HIGH, state=state, reason=reason, sent_at=None, digest=digest)
    assert ask("whynot", "BTC 12:05").text.splitlines()[3] == f"{words}; /alert_{alert.pk}"


def test_whynot_says_what_was_wanted_and_when_nothing_was_there() -> None:
    list_bitcoin()
    make_subscriber(ANN, Severity.EXTREME)
    Subscriber.objects.update(created_at=NOW - timedelta(days=1))
    story()
    lines = ask("whynot", "BTC 12:05").text.splitlines()
    assert lines[3] == "Not sent: below your lowest severity, EXTREME (as you have it today; what you wanted then is not on record)."
    quiet = ask("whynot", "BTC 2026-05-01 12:05").text.splitlines()
    assert quiet[2] == "Nothing was measured that is large enough to be kept."
    assert quiet[-3] == "Signals that led to no alert are kept for 30 days."
    BlindSpot.objects.create(venue="okx", feed="liquidations", since=NOW - timedelta(minutes=40), until=NOW - timedelta(minutes=15))
    assert "<b>Not seen then</b>\nOKX, liquidations: from 11:40:00 to 12:05:00\n" in ask("whynot", "BTC 12:05").text
    assert "No watched venue lists it." in ask("whynot", "NOSUCH 12:05").text
    assert "<b>All assets, 11:50 to 12:20</b>" in ask("whynot", "all 12:05").text


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("", "Of which asset?"),
        ("14:05", "Of which asset?"),
        ("BTC ETH 14:05", "One asset at a time, please."),
        ("BTC 25:00", "25:00 is no time of day."),
        ("<i> 14:05", "Asset: letters and digits only, like BTC; got &lt;I&gt;. Leave it empty for any other asset."),
    ],
)
def test_whynot_says_what_it_does_not_understand(words: str, problem: str) -> None:
    make_subscriber(ANN)
    said = ask("whynot", words).text.splitlines()
    assert said[0] == problem and said[1].startswith("Write an asset and a time")


def test_whynot_needs_somebody_to_tell() -> None:
    assert ask("whynot", "BTC 14:05").text.startswith("This chat is not subscribed")


# /status


def test_status_shows_feeds_scans_delays_the_day_and_the_own_settings() -> None:
    FeedStatus.objects.create(venue="binance", state="live", connected_since=NOW, last_data_at=NOW - timedelta(seconds=1), updated_at=NOW)
    FeedStatus.objects.create(venue="okx", state="waiting", last_error="<refused>", last_data_at=NOW - timedelta(minutes=7), updated_at=NOW)
    ScanStatus.objects.create(venue="bybit", kind="open_interest", succeeded_at=NOW - timedelta(seconds=40), contracts=412)
    ScanStatus.objects.create(venue="bybit", kind="volume", succeeded_at=NOW - timedelta(minutes=5))
    ann, alert = make_subscriber(ANN, Severity.MODERATE, time_zone="Europe/Zurich"), story()
    stories.sent(ann, alert, alert.peak, Severity.HIGH)
    make_alert(signal_at(13 * 60), Severity.LOW, fingerprint="yesterday", opened_at=NOW - timedelta(hours=15))
    services.mute(ann, None, "ETH", NOW + timedelta(hours=1), NOW)
    assert ask("status").text.splitlines() == [
        "<b>Feeds</b>",
        "✅ Binance: live, data 1 s ago",
        "❌ Bybit: <b>blind</b> (no report yet)",
        "❌ OKX: <b>blind</b>, last data 7 min ago (&lt;refused&gt;)",
        "",
        "<b>Scans</b>",
        "✅ Bybit open interest: 412 contracts, 40 s ago",
        "❌ Bybit volume: <b>blind</b>, 5 min ago (no data since 12:15:00 UTC)",
        "",
        "<b>Delay from a venue's frame to Telegram, last hour</b>",
        "140 ms median, 140 ms the slowest, of 1 message",
        "",
        "<b>Alerts since midnight Europe/Zurich</b>",
        "1: 1 HIGH",
        "This chat heard of 1.",
        f"The last: HIGH BTC cascade: longs liquidated ▼ $5.2M, 16 min ago, /alert_{alert.pk}",
        "",
        "<b>Settings</b> (/settings changes them)",
        "This chat gets:",
        "Cascades: all assets from MODERATE.",
        "Liquidations, open interest and volume: off.",
        "",
        "Confirmed only: no. Charts after HIGH and EXTREME: yes.",
        "Quiet hours: none. Time zone: Europe/Zurich, 14:20 now.",
        "Muted: ETH until 15:20.",
    ]


def test_status_of_a_chat_that_is_not_subscribed_and_of_a_quiet_hour() -> None:
    said = ask("status").text
    assert "No alert was sent in the last hour." in said and "None has begun yet." in said
    assert said.endswith("<b>Alerts since midnight UTC</b>\nNone.\n\nThis chat gets no alerts. /start subscribes it.")
