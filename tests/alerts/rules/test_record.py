"""What is said of how rare an incident is."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.rules.record import Record

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.mark.parametrize(
    ("larger", "since", "line"),
    [
        (9.5, 30, "Largest in 9 days"),
        (2, 30, "Largest in 2 days"),
        (1.9, 30, ""),
        (None, 9.5, "Largest since records began 9 days ago"),
        (None, 1.9, ""),
        (30, 9.5, "Largest since records began 9 days ago"),
        (1_500, 2_000, "Largest in 1,500 days"),
        (9, None, ""),
        (None, None, ""),
    ],
)
def test_it_claims_what_is_on_record_and_no_more(larger: float | None, since: float | None, line: str) -> None:
    record = Record(None if larger is None else days_ago(larger), None if larger is None else "7", None if since is None else days_ago(since))
    assert record.line(NOW) == line
    assert Record.of_json(record.as_json()) == record
    assert Record.of_json({}).line(NOW) == ""
