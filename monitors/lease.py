"""Who alone may do a thing now? A lease in the database: whoever stops renewing it loses it."""

import os
import socket
import uuid
from datetime import timedelta

from django.utils import timezone

from monitors.models import Lease

LASTS_S = 5.0
RENEW_S = 1.0


class Held:
    """One holder's hold of a lease, which ends `lasts_s` after it was taken or renewed."""

    def __init__(self, name: str, lasts_s: float = LASTS_S) -> None:
        self.inherited = False
        self._name = name
        self._lasts = timedelta(seconds=lasts_s)
        self._holder = f"{socket.gethostname()[:24]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"

    def acquire(self) -> bool:
        """Take the lease when nobody holds it; `inherited` then says whether the holder before died holding it."""
        if self._take(holder=""):
            return True
        self.inherited = self._take()
        return self.inherited or (self._create() and self._take(holder=""))

    def renew(self) -> bool:
        """Keep the lease; False when it was lost."""
        return bool(Lease.objects.filter(name=self._name, holder=self._holder).update(until=timezone.now() + self._lasts))

    def release(self) -> None:
        """Leave the lease to the next."""
        Lease.objects.filter(name=self._name, holder=self._holder).update(holder="", until=timezone.now())

    def _take(self, **of: str) -> bool:
        now = timezone.now()
        return bool(Lease.objects.filter(name=self._name, until__lte=now, **of).update(holder=self._holder, until=now + self._lasts))

    def _create(self) -> bool:
        """The row of a lease that was never held; False when there is one."""
        if Lease.objects.filter(name=self._name).exists():
            return False
        Lease.objects.bulk_create([Lease(name=self._name, until=timezone.now())], ignore_conflicts=True)
        return True
