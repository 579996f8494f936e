"""Who alone may do a thing now? A lease in the database: whoever stops renewing it loses it."""

import os
import socket
import uuid
from datetime import timedelta

from django.utils import timezone

from alertsystem.prepared import Given, PreparedUpdate
from monitors.models import Lease

LASTS_S = 5.0
RENEW_S = 1.0

FREE = PreparedUpdate(lambda: Lease.objects.filter(name=Given("name"), holder="", until__lte=Given("now")), holder=Given("holder"), until=Given("until"))
RUN_OUT = PreparedUpdate(lambda: Lease.objects.filter(name=Given("name"), until__lte=Given("now")), holder=Given("holder"), until=Given("until"))
OWN = PreparedUpdate(lambda: Lease.objects.filter(name=Given("name"), holder=Given("holder")), holder=Given("next"), until=Given("until"))


class Held:
    """One holder's hold of a lease, which ends `lasts_s` after it was taken or renewed."""

    def __init__(self, name: str, lasts_s: float = LASTS_S) -> None:
        self.inherited = False
        self._name = name
        self._lasts = timedelta(seconds=lasts_s)
        self._holder = f"{socket.gethostname()[:24]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"

    def acquire(self) -> bool:
        """Take the lease when nobody holds it; `inherited` then says whether the holder before died holding it."""
        if self._take(FREE):
            return True
        self.inherited = self._take(RUN_OUT)
        return self.inherited or (self._create() and self._take(FREE))

    def renew(self) -> bool:
        """Keep the lease; False when it was lost."""
        return bool(OWN.run(name=self._name, holder=self._holder, next=self._holder, until=timezone.now() + self._lasts))

    def release(self) -> None:
        """Leave the lease to the next."""
        OWN.run(name=self._name, holder=self._holder, next="", until=timezone.now())

    def _take(self, one: PreparedUpdate) -> bool:
        now = timezone.now()
        return bool(one.run(name=self._name, now=now, holder=self._holder, until=now + self._lasts))

    def _create(self) -> bool:
        """The row of a lease that was never held; False when there is one."""
        if Lease.objects.filter(name=self._name).exists():
            return False
        Lease.objects.bulk_create([Lease(name=self._name, until=timezone.now())], ignore_conflicts=True)
        return True
