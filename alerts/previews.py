"""What would have come? The stored signals of the last days, and the stored alerts, against what somebody wants or might want."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_

from django.db.models import Exists, Min, OuterRef, Q, QuerySet

from alerts.models import Alert, Decision
from alerts.rules.incident import Outcome
from alerts.rules.preview import in_quiet_hours, told
from monitors import floors, market, selectors
from monitors.market import Direction, Kind
from monitors.models import Signal
from monitors.thresholds import Rule, Rulebook, Severity
from subscribers.choices import after
from subscribers.models import Subscriber, Subscription
from subscribers.preferences import Choice, Preferences, custom_threshold
from subscribers.selectors import preferences_of

PERIOD = timedelta(days=7)
Thresholds = dict[tuple[Kind, str], Decimal]
UNTOLD = (Outcome.OUT_OF_ORDER, Outcome.SWITCHED_OFF)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a changed choice of one kind and asset would have meant in the last 7 days.

    `before` and `after`: alerts of this kind with the choice that counts now and with the new one; `quiet`: how many of the latter in the
    quiet hours. `kept_since`: signals that low are kept since then only, inside the period (None: they have not been kept so far;
    `floors.ALWAYS`: all the time). `rule` is the one in force (None: switched off), `floor` from where on signals are kept before the change.
    `begins_at`: the first signal there is, when the period goes back further (now: there is none).
    """

    before: int
    after: int
    quiet: int
    rule: Rule | None
    floor: Decimal | None
    kept_since: datetime | None
    begins_at: datetime | None


def preview(subscriber: Subscriber, kind: Kind, asset: str, choice: Choice | None, now: datetime) -> Preview:
    """Compare what the subscriber wants of `kind` and `asset` ("" = any) with `choice` in its place. Ask before the change is made."""
    wants_now = replace(preferences_of(subscriber), active=True)
    would_want = after(wants_now, kind, asset, choice)
    since, others, book_now = now - PERIOD, _thresholds_of_others(subscriber, kind), selectors.rulebook()
    books = [_book(book_now.rules, others, wanted) for wanted in (wants_now, would_want)]
    if books[0] == books[1]:
        counts = told(_signals(kind, asset, books[0], since), books[0], kind, [wants_now, would_want])
    else:
        counts = [told(_signals(kind, asset, book, since), book, kind, [wanted])[0] for book, wanted in zip(books, (wants_now, would_want), strict=True)]
    threshold = custom_threshold(would_want.choices.get((kind, asset)), would_want.choices.get((kind, "")))
    rule = book_now.rule(kind, asset)
    first = Signal.objects.order_by("received_at").values_list("received_at", flat=True).first()
    return Preview(
        before=len(counts[0]),
        after=len(counts[1]),
        quiet=in_quiet_hours(counts[1], would_want),
        rule=rule,
        floor=book_now.floor(rule, asset) if rule is not None else None,
        kept_since=floors.ALWAYS if threshold is None else _kept_since(kind, asset, threshold, since, now),
        begins_at=now if first is None else first if first > since else None,
    )


def alerts_for(preferences: Preferences) -> "QuerySet[Alert]":
    """The stored alerts of which somebody with these preferences would have been told, quiet hours and mutes aside; as fast as it is long ago."""
    wanted, perhaps = Q(), Q()
    for (kind, asset), choice in preferences.choices.items():
        if not choice.is_off:
            wanted |= _signals_wanted(preferences, kind, asset, choice)
            perhaps |= _alerts_perhaps_wanted(preferences, kind, asset, choice)
    if not wanted:
        return Alert.objects.none()
    decisions = Decision.objects.filter(wanted, alert=OuterRef("pk")).exclude(outcome__in=UNTOLD).exclude(reason__contains="silenced: ")
    if preferences.confirmed_only:
        decisions = decisions.filter(unconfirmed=False)
    return Alert.objects.filter(perhaps, Exists(decisions))


def _signals_wanted(preferences: Preferences, kind: Kind, asset: str, choice: Choice) -> Q:
    """The decisions whose signal this one choice wants; `wish_for` of many."""
    custom = custom_threshold(choice, preferences.choices.get((kind, "")))
    loud = Q(signal__value__gte=custom) if custom is not None else Q(severity__gte=max(choice.lowest_severity, Severity.LOW))
    one_way = Q(signal__direction__in=["", choice.direction]) if choice.direction else Q()
    return Q(signal__kind=kind.value) & _of_asset_alone(preferences, kind, asset, "signal__asset") & loud & one_way


def _alerts_perhaps_wanted(preferences: Preferences, kind: Kind, asset: str, choice: Choice) -> Q:
    """The alerts that may have such a decision, so that few are looked into: by the highest severity or largest value they have had."""
    custom = custom_threshold(choice, preferences.choices.get((kind, "")))
    loud = Q(peak__value__gte=custom) if custom is not None else Q(severity__gte=max(choice.lowest_severity, Severity.LOW))
    return Q(kind__in=_family(kind)) & _of_asset_alone(preferences, kind, asset, "asset") & loud


def _of_asset_alone(preferences: Preferences, kind: Kind, asset: str, field: str) -> Q:
    """This asset; for "" all that have no choice of their own."""
    own = [each for of_kind, each in preferences.choices if of_kind is kind and each]
    return Q(**{field: asset}) if asset else ~Q(**{f"{field}__in": own})


def _kept_since(kind: Kind, asset: str, threshold: Decimal, since: datetime, now: datetime) -> datetime | None:
    kept = floors.kept_since(kind, asset, threshold, now)
    return floors.ALWAYS if kept is not None and kept <= since else kept


def _thresholds_of_others(subscriber: Subscriber, kind: Kind) -> Thresholds:
    """The lowest custom thresholds without those of this subscriber."""
    rows = Subscription.objects.filter(subscriber__active=True, custom_threshold__isnull=False, kind__in=_family(kind)).exclude(subscriber=subscriber)
    return {(Kind(row["kind"]), row["asset"]): row["lowest"] for row in rows.order_by().values("kind", "asset").annotate(lowest=Min("custom_threshold"))}


def _book(rules: Mapping[tuple[Kind, str], Rule], others: Thresholds, wanted: Preferences) -> Rulebook:
    """The rules in force, and the custom thresholds as they would be; those that are not below LOW change no incident, and are left out."""
    lowest = dict(others)
    for key, choice in wanted.choices.items():
        if choice.custom_threshold is not None:
            lowest[key] = min(choice.custom_threshold, lowest.get(key, choice.custom_threshold))
    lows = {(kind, asset): [rule.low for rule in rules.values() if rule.kind is kind and (not asset or rule.asset in (asset, ""))] for kind, asset in lowest}
    return Rulebook(rules, {key: threshold for key, threshold in lowest.items() if threshold < max(lows[key], default=threshold)})


def _signals(kind: Kind, asset: str, book: Rulebook, since: datetime) -> Iterator[market.Signal]:
    """The stored signals of the kind's stories that may change them, in the order in which they were decided."""
    rows = Signal.objects.filter(_that_matter(kind, book), kind__in=_family(kind), received_at__gte=since)
    if asset:
        rows = rows.filter(fingerprint__in={market.fingerprint_of(kind, asset, direction) for direction in Direction})
    for row in rows.order_by("id").iterator(chunk_size=2000):
        yield row.as_value()


def _that_matter(kind: Kind, book: Rulebook) -> Q:
    """Signals below LOW matter where a custom threshold is below it, and where the asset's own history may raise the severity."""
    if kind is Kind.OPEN_INTEREST:
        return Q()
    named = {asset for _, asset in [*book.rules, *book.custom_floors] if asset}
    return reduce(or_, (_of_asset(kind, asset, named, book) for asset in [*sorted(named), ""]))


def _of_asset(kind: Kind, asset: str, named: set[str], book: Rulebook) -> Q:
    """The signals of one asset, or of all that are not `named`."""
    of_asset = Q(asset=asset) if asset else ~Q(asset__in=named)
    rules = [rule for each in _family(kind) if (rule := book.rule(each, asset)) is not None]
    if any(book.custom_floor(rule.kind, asset) is not None for rule in rules):
        return of_asset
    return of_asset & reduce(or_, (Q(kind=rule.kind.value, value__gte=rule.low) for rule in rules), Q(pk__in=[]))


def _family(kind: Kind) -> tuple[Kind, ...]:
    """The kinds that share incidents with this one."""
    return tuple(each for each in Kind if market.family_of(each) == market.family_of(kind))
