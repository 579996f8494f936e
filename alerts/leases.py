"""Who alone may do a thing now? A lease in the database: whoever stops renewing it loses it."""

import os
import socket
import uuid
from datetime import timedelta

from django.utils import timezone

from alerts.models import Lease

LEASE = timedelta(seconds=5)
RENEW_S = 1.0


class Held:
    """One holder's hold of a lease."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._holder = f"{socket.gethostname()[:24]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"

    def acquire(self) -> bool:
        """Take the lease when nobody holds it."""
        return self._take() or (self._create() and self._take())

    def renew(self) -> bool:
        """Keep the lease; False when it was lost."""
        return bool(Lease.objects.filter(name=self._name, holder=self._holder).update(until=timezone.now() + LEASE))

    def release(self) -> None:
        """Leave the lease to the next."""
        Lease.objects.filter(name=self._name, holder=self._holder).update(holder="", until=timezone.now())

    def _take(self) -> bool:
        now = timezone.now()
        return bool(Lease.objects.filter(name=self._name, until__lte=now).update(holder=self._holder, until=now + LEASE))

    def _create(self) -> bool:
        """The row of a lease that was never held; False when there is one."""
        if Lease.objects.filter(name=self._name).exists():
            return False
        Lease.objects.bulk_create([Lease(name=self._name, until=timezone.now())], ignore_conflicts=True)
        return True
