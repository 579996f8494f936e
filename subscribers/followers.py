"""How does a chat's webhook keep to the chat's choices? It wants the same, always; mutes and quiet hours are for people."""

from subscribers.models import Subscriber, Subscription

OWNER_STOPPED = "its chat gets no alerts"
COPIED = ("kind", "asset", "lowest_severity", "custom_threshold", "direction")


def follow(owner: Subscriber) -> int:
    """Bring the choices of the owner's webhooks in line, in the transaction of the owner's change; returns how many webhooks there are."""
    hooks = list(Subscriber.objects.filter(webhook__owner=owner))
    for hook in hooks:
        hook.confirmed_only = owner.confirmed_only
        if not owner.active and hook.active:
            hook.active, hook.deactivated_reason = False, OWNER_STOPPED
        elif owner.active and hook.deactivated_reason == OWNER_STOPPED:
            hook.active, hook.deactivated_reason = True, ""
        hook.save()  # touches `changed_at`
        hook.subscriptions.all().delete()
        rows = owner.subscriptions.values(*COPIED)
        Subscription.objects.bulk_create(Subscription(subscriber=hook, **row) for row in rows)
    return len(hooks)
