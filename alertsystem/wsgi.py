"""What does the web server call? Django's WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alertsystem.settings")

application = get_wsgi_application()
