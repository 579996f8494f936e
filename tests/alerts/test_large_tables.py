"""What is asked every few seconds, or at each change of a wish: does it look through the history of all alerts, or all that everybody wants?"""

from collections.abc import Callable

import pytest
from django.utils import timezone

from alerts import broadcasts, charts, claims, digests, effectiveness, outbox, summaries, trigger, webhooks
from subscribers import services
from tests.alerts.builders import make_alert, make_delivery
from tests.plans import read_whole

LARGE = {"alerts_delivery", "alerts_alert", "alerts_decision", "alerts_fanout", "alerts_outcome", "monitors_signal", "subscribers_subscription"}
NOW = timezone.now()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "work",
    [
        trigger.evaluate_unread, outbox.resume, lambda: trigger.close_due(NOW), lambda: outbox.expire_due(NOW), lambda: broadcasts.feed(NOW),
        lambda: claims.most_urgent(NOW), lambda: claims.next_delivery(NOW, (1, 2)), webhooks.wake, lambda: digests.write_due(NOW),
        lambda: summaries.write_due(NOW), lambda: services.renew_quiet_hours(NOW), lambda: charts.follow_up(NOW), lambda: effectiveness.measure_due(NOW),
        services.refresh_custom_floors,
    ],
)  # fmt: skip
def test_what_waits_is_found_by_an_index(work: Callable[[], object]) -> None:
    make_delivery(alert=make_alert(), state="sent", sent_at=NOW)
    assert not LARGE.intersection(read_whole(work))
