"""How do all pages of the admin behave? Editable ones, read-only history, pages that stay fast on big tables."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar, cast

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline

MAX_ROWS = 10_000  # a list shows so many of the newest rows; older ones are found by search, filter and date
Method = TypeVar("Method", bound=Callable[..., Any])
SEVERITY_COLOURS = {"EXTREME": "danger", "HIGH": "warning", "MODERATE": "info", "LOW": "success", "BELOW_LOW": ""}
STATE_COLOURS = {
    "sent": "success", "pending": "info", "sending": "info", "held": "warning", "superseded": "", "expired": "warning", "failed": "danger", "unknown": "danger",
    "folded": "",
}  # fmt: skip


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Counts no further than it shows: COUNT(*) over millions of rows takes seconds."""

    @cached_property
    def count(self) -> int:
        """The number of rows, at most MAX_ROWS."""
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[:MAX_ROWS].count()


class Admin(ModelAdmin):  # type: ignore[misc]  # unfold is not typed
    """A page of the admin: the filters in a panel of their own, no count of the whole table."""

    show_full_result_count = False
    paginator: Any = CappedPaginator
    list_per_page = 50
    list_filter_sheet = False
    warn_unsaved_form = True


class HistoryAdmin(Admin):
    """What happened is read, never changed."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody: retention removes what is old."""
        return False


class RowsInline(TabularInline):  # type: ignore[misc]  # unfold is not typed
    """Rows of another table on a page."""

    extra = 0


def column(description: str, *, ordering: str | None = None, label: dict[str, str] | None = None) -> Callable[[Method], Method]:
    """A method as a column or read-only field; `label` colours its values."""

    def described(method: Method) -> Method:
        method.short_description = description  # type: ignore[attr-defined]  # how Django's admin takes it
        if ordering is not None:
            method.admin_order_field = ordering  # type: ignore[attr-defined]
        if label is not None:
            method.label = label  # type: ignore[attr-defined]
        return method

    return described


def moment(at: datetime | None) -> str:
    """A time to the millisecond, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}" if at else "-"


def when(at: datetime | None) -> SafeString:
    """The same for a column: never broken into two lines."""
    return format_html('<span class="one-line">{}</span>', moment(at))


def badge(text: str, colour: str = "") -> SafeString:
    """A coloured label, as unfold draws it: success, info, warning, danger or "" for grey."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": colour})


def link_to(url: str, text: str) -> SafeString:
    """A link in the theme's colour."""
    return format_html('<a class="one-line text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, text)


def age(at: datetime | None) -> str:
    """How long ago, in its largest unit."""
    if at is None:
        return "never"
    seconds = max(0, int((timezone.now() - at).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
