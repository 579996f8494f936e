"""Which page answers which path?"""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from alertsystem import health, metrics

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
]
