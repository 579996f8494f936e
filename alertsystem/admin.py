"""Who may log in, and what runs when? The admin's own pages, in the one theme."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django_celery_beat.admin import PeriodicTaskAdmin as BeatPeriodicTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from alertsystem.admin_base import Admin

admin.site.index_title = "Overview"
admin.site.index_template = "alertsystem/overview.html"
admin.site.unregister([User, Group, PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule])


@admin.register(User)
class UserAdmin(DjangoUserAdmin, Admin):  # type: ignore[type-arg]  # not generic at run time
    """Operators."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


class TaskWidget(UnfoldAdminSelectWidget, TaskSelectWidget):  # type: ignore[misc]  # neither is typed
    """The tasks that are there, in the theme."""


class ScheduleForm(PeriodicTaskForm):  # type: ignore[misc]  # django-celery-beat is not typed
    """django-celery-beat's form in the theme."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskWidget()


@admin.register(PeriodicTask)
class ScheduleAdmin(BeatPeriodicTaskAdmin, Admin):  # type: ignore[misc]  # django-celery-beat is not typed
    """What beat starts, and how often."""

    form = ScheduleForm


@admin.register(IntervalSchedule, CrontabSchedule)
class EveryAdmin(Admin):
    """The intervals and times that a scheduled task can have."""
