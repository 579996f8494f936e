"""Is a chart a picture that a phone can show, and is the library that draws it loaded where it draws, and nowhere else?"""

import subprocess
import sys
from io import BytesIO

import pytest
from PIL import Image

from alerts.drawing import Amounts, draw
from alerts.rules.chart import Bars, Line, Picture
from alertsystem.env import PROJECT_DIR
from monitors.market import MINUTE_MS, PriceCandle, Venue
from tests.builders import NOW_MS
from tests.harness import process_env

START, END = NOW_MS, NOW_MS + 60 * MINUTE_MS
BARS = Bars("liquidations", "Liquidated", MINUTE_MS, (("longs", {START: 5e6, START + MINUTE_MS: 1e5}), ("shorts", {START: 2e6})))
OF_EVERY_PROCESS = (
    "alertsystem.celery alertsystem.urls alerts.tasks monitors.tasks alerts.admin subscribers.admin monitors.liquidation_monitor subscribers.bot.app"
)


def candles(price: float = 64_183.0, without: tuple[int, ...] = ()) -> list[PriceCandle]:
    """A minute's candle after the other, falling by a thousandth."""
    prices = [price * 0.999**minute for minute in range(60)]
    rows = enumerate(zip(prices, prices[1:], strict=False))
    return [PriceCandle(Venue.BINANCE, "BTC", START + at * MINUTE_MS, high, high, low, low, True) for at, (high, low) in rows if at not in without]


def picture(price: float = 64_183.0, below: Bars | Line | None = BARS, opened_ms: int | None = START + 90_000, title: str = "HIGH BTC cascade") -> Picture:
    return Picture(title, "Binance", START, END, candles(price, without=(20, 21)), opened_ms, below)


def colours(png: bytes) -> set[tuple[int, ...]]:
    image = Image.open(BytesIO(png)).convert("RGB")
    found = image.getcolors(image.width * image.height)
    assert found is not None
    return {colour for count, colour in found if count > 200}  # type: ignore[misc]  # of RGB they are tuples


def test_it_is_a_png_of_a_size_that_telegram_does_not_shrink_much() -> None:
    png = draw(picture())
    image = Image.open(BytesIO(png))
    assert image.format == "PNG" and image.size == (1080, 945)
    assert len(png) < 200_000


def test_the_price_the_alert_and_both_sides_have_their_colours() -> None:
    price, alert, longs, shorts = (29, 78, 216), (180, 83, 9), (220, 38, 38), (15, 157, 118)
    assert {price, alert, longs, shorts} <= colours(draw(picture()))
    assert not {alert, longs, shorts} & colours(draw(picture(below=None, opened_ms=None)))


def test_a_side_of_which_nothing_was_liquidated_is_not_named() -> None:
    shorts_only = Bars("liquidations", "Liquidated", MINUTE_MS, (("longs", {}), ("shorts", {START: 2e6})))
    found = colours(draw(picture(below=shorts_only)))
    assert (15, 157, 118) in found and not {(220, 38, 38), (31, 119, 180)} & found, "shorts keep their colour, and nothing has the library's usual one"


@pytest.mark.parametrize("price", [0.0000031, 0.07, 1.0, 78.43, 64_183.0, 1e7])
def test_every_price_can_be_drawn(price: float) -> None:
    assert draw(picture(price))


@pytest.mark.parametrize(
    "below",
    [None, Line("open interest", "Open interest", {START: 9e9, END: 9.1e9}), Bars("volume", "Volume", 5 * MINUTE_MS, (("", {START - MINUTE_MS: 1e6}),))],
)
def test_every_kind_can_be_drawn_and_a_long_title_too(below: Bars | Line | None) -> None:
    assert draw(picture(below=below, title="MODERATE 1000SATS liquidation: shorts liquidated ▲ ≥ $123.4M" * 2))


@pytest.mark.parametrize(
    ("before", "ticks", "labels"),
    [
        ("", [1.11e9, 1.125e9, 1.14e9, 1.155e9], ["1.110B", "1.125B", "1.140B", "1.155B"]),
        ("", [80_998.0, 81_000.0, 81_002.0], ["80.998k", "81.000k", "81.002k"]),
        ("$", [0.0, 1.25e6, 2.5e6], ["0", "$1.25M", "$2.50M"]),
        ("$", [0.0, 200.0, 400.0], ["0", "$200", "$400"]),
        ("", [-1.0, 0.0], ["0", "0"]),
    ],
)
def test_no_two_ticks_of_an_axis_read_the_same_and_each_is_exact(before: str, ticks: list[float], labels: list[str]) -> None:
    assert Amounts(before).format_ticks(ticks) == labels


def test_a_price_that_does_not_move_can_be_drawn() -> None:
    flat = [PriceCandle(Venue.OKX, "X", START + minute * MINUTE_MS, 5, 5, 5, 5, True) for minute in range(60)]
    assert draw(Picture("flat", "OKX", START, END, flat, START, Bars("volume", "Volume", MINUTE_MS, (("", {}),))))


def test_no_other_process_loads_the_library() -> None:
    """What every process imports, and what the workers do before their first task."""
    code = f"import sys, importlib, django; django.setup(); [importlib.import_module(name) for name in '{OF_EVERY_PROCESS}'.split()]; "
    code += "print(sorted({'matplotlib', 'numpy', 'PIL', 'alerts.drawing'} & set(sys.modules)))"
    env = process_env() | {"DATABASE_URL": ""}
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_DIR, env=env, capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_it_draws_without_the_state_of_pyplot() -> None:
    code = "import sys, alerts.drawing; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_DIR, env=process_env() | {"DATABASE_URL": ""}, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr
