"""How is a chart drawn? One picture as PNG, to be read on a phone. The only module that loads matplotlib: only housekeeping's worker imports it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise
from statistics import median

from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter, MinuteLocator
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, MaxNLocator

from alerts.rules.chart import Bars, Line, Picture
from monitors.market import MINUTE_MS, PriceCandle

WIDTH, HEIGHT, DPI = 7.2, 6.3, 150  # inches; 1080 x 945 pixels
LARGE, MEDIUM = 15, 13  # points: 31 and 27 pixels, a third of that on a phone
INK, GRID, PRICE, MARK = "#1f2933", "#d9dee4", "#1d4ed8", "#b45309"
COLOURS = ("#dc2626", "#0f9d76", "#6b7280")  # of bars; also told apart by their order and names
UNITS = ((1e9, "B"), (1e6, "M"), (1e3, "k"))
FITTING = 55  # characters of a title


def draw(picture: Picture) -> bytes:
    """The picture as PNG."""
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor="white", layout="constrained")
    if picture.below is None:
        upper = lower = figure.subplots()
    else:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        _draw_below(lower, picture.below)
    figure.suptitle(picture.title, fontsize=min(LARGE, LARGE * FITTING / len(picture.title)), fontweight="bold", color=INK)
    _draw_prices(upper, picture)
    lower.set_xlim(_time(picture.start_ms), _time(picture.end_ms))  # type: ignore[arg-type]  # the stubs know no dates
    _label_times(lower, picture)
    for axes in {upper, lower}:
        _dress(axes)
    done = BytesIO()
    figure.savefig(done, format="png")
    return done.getvalue()


def _draw_prices(axes: Axes, picture: Picture) -> None:
    for run in _runs(picture.prices):
        times = [_time(min(candle.opened_at_ms + MINUTE_MS, picture.end_ms)) for candle in run]  # where a minute closes
        axes.fill_between(times, [candle.low for candle in run], [candle.high for candle in run], color=PRICE, alpha=0.2, linewidth=0)  # type: ignore[arg-type]
        axes.plot(times, [candle.close for candle in run], color=PRICE, linewidth=2.2)  # type: ignore[arg-type]  # dates
    if picture.opened_ms is not None:
        opened = _time(picture.opened_ms)
        axes.axvline(opened, color=MARK, linewidth=2, linestyle="--")  # type: ignore[arg-type]
        left, low = _free_corner(picture, picture.opened_ms)
        words = axes.annotate(
            f"alert {opened:%H:%M:%S}", (opened, 0 if low else 1), xycoords=("data", "axes fraction"), xytext=(-6 if left else 6, 6 if low else -6),
            textcoords="offset points", ha="right" if left else "left", va="bottom" if low else "top", fontsize=MEDIUM, color=MARK,
        )  # fmt: skip
        words.set_bbox({"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 2})
    axes.set_title(f"Mark price, $ ({picture.venue})", fontsize=MEDIUM, color=INK, loc="left")
    axes.yaxis.set_major_formatter(Prices())


def _free_corner(picture: Picture, opened_ms: int) -> tuple[bool, bool]:
    """Where the alert's words hide nothing: whether on the left of its line, and whether at the bottom."""
    left = opened_ms - picture.start_ms > (picture.end_ms - picture.start_ms) * 0.7
    beside = [candle.close for candle in picture.prices if (candle.opened_at_ms < opened_ms) is left] or [picture.prices[0].close]
    middle = (min(candle.low for candle in picture.prices) + max(candle.high for candle in picture.prices)) / 2
    return left, median(beside) > middle


class Prices(Formatter):
    """Ticks of prices, all with as many places as their distance needs."""

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """All ticks of an axis."""
        step = min((after - before for before, after in pairwise(values)), default=1.0)
        places = next((places for places in range(12) if abs(round(step, places) - step) < step / 100), 12)
        return [f"{value:,.{places}f}" for value in values]


class Amounts(Formatter):
    """Ticks of dollars or coins, in the unit of the largest: $1.25M."""

    def __init__(self, before: str = "") -> None:
        self._before = before

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """All ticks of an axis."""
        size, unit = next(((size, unit) for size, unit in UNITS if max(values, default=0.0) >= size), (1.0, ""))
        numbers = Prices().format_ticks([value / size for value in values])
        return [f"{self._before}{number}{unit}" if value > 0 else "0" for value, number in zip(values, numbers, strict=True)]


def _draw_below(axes: Axes, below: Bars | Line) -> None:
    axes.set_title(below.label, fontsize=MEDIUM, color=INK, loc="left")
    if isinstance(below, Line):
        axes.plot([_time(at) for at in below.points], list(below.points.values()), color=INK, linewidth=2.2)  # type: ignore[arg-type]
        axes.yaxis.set_major_formatter(Amounts())
        return
    bottoms: dict[int, float] = {}
    for colour, (name, values) in zip(COLOURS if len(below.parts) > 1 else COLOURS[2:], below.parts, strict=False):
        if not values:  # its name would stand there in a colour of its own
            continue
        begins = [_time(at) for at in values]
        under = [bottoms.get(at, 0.0) for at in values]
        axes.bar(begins, list(values.values()), below.width_ms / 86_400_000 * 0.9, under, align="edge", color=colour, label=name)  # type: ignore[arg-type]
        bottoms = {**bottoms, **{at: bottoms.get(at, 0.0) + value for at, value in values.items()}}
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(Amounts("$"))
    if any(name for name, values in below.parts if values):
        axes.legend(fontsize=MEDIUM, frameon=False, loc="upper left", labelcolor=INK, handlelength=1)


def _label_times(axes: Axes, picture: Picture) -> None:
    axes.xaxis.set_major_locator(MinuteLocator(byminute=range(0, 60, 15)))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M", tz=UTC))  # type: ignore[no-untyped-call]
    axes.set_xlabel(f"UTC, {_time(picture.end_ms):%-d %B %Y}", fontsize=MEDIUM, color=INK)


def _dress(axes: Axes) -> None:
    axes.grid(color=GRID, linewidth=1)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=MEDIUM, colors=INK, length=0, pad=6)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GRID)


def _runs(candles: Sequence[PriceCandle]) -> list[list[PriceCandle]]:
    """The candles in unbroken rows: over a gap no line is drawn."""
    runs: list[list[PriceCandle]] = []
    for candle in candles:
        if runs and candle.opened_at_ms - runs[-1][-1].opened_at_ms == MINUTE_MS:
            runs[-1].append(candle)
        else:
            runs.append([candle])
    return runs


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
