"""Every service of docker-compose.yml as a real process: healthy, scaled, told once, and ended in time."""

import signal
import time
from collections.abc import Iterator

import pytest
import requests

from tests.compose.fleet import HEALTHY_S, HOST, Fleet, fleet, kill
from tests.e2e import story
from tests.fakes.telegram import FakeTelegram
from tests.fakes.venues import FakeVenues
from tests.harness import wait_until

TOKEN = "4242:in-a-container"
CHAT = 77
LONG_RUNNING = ("web", "beat", "worker-alerts", "worker-delivery", "worker-scans", "worker-housekeeping", "monitor", "bot")


@pytest.fixture(scope="module")
def venues() -> Iterator[FakeVenues]:
    with FakeVenues() as server:
        yield server


@pytest.fixture(scope="module")
def telegram() -> Iterator[FakeTelegram]:
    with FakeTelegram(token=TOKEN) as server:
        yield server


@pytest.fixture(scope="module")
def all_services(venues: FakeVenues, telegram: FakeTelegram, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """As `docker compose up --scale worker-alerts=3` starts them: database and broker, migrations, then all others at once."""
    settings = {**venues.env, "TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url, "ASSETS": "BTC,ETH"}
    with fleet(tmp_path_factory.mktemp("fleet"), settings) as started:
        assert started.postgres_answers()
        started.start_redis()
        started.container("migrate").run()
        for name in LONG_RUNNING:
            for number in range(1, 4 if name == "worker-alerts" else 2):
                started.start(name, number)
        yield started


def get(services: Fleet, path: str, **headers: str) -> requests.Response:
    """What the proxy in front of the web process would get; it is on the same machine."""
    address = f"http://127.0.0.1:{services.web_port}{path}"
    return requests.get(address, headers={"Host": HOST, **headers}, allow_redirects=False, timeout=10)


def test_every_service_becomes_healthy_and_the_alert_worker_three_times(all_services: Fleet) -> None:
    assert set(all_services.services) == {"postgres", "redis", "migrate", *LONG_RUNNING}, "a service that this test does not start"
    for name, container in all_services.containers.items():
        if name != "redis-1":
            wait_until(container.is_healthy, HEALTHY_S, f"health of {name}: {container.output}")
    assert sum(name.startswith("worker-alerts") for name in all_services.containers) == 3


def test_the_whole_is_ready(all_services: Fleet) -> None:
    wait_until(lambda: get(all_services, "/readyz").status_code == 200, 60, "readiness")


def test_the_admin_is_served_over_https_only_with_static_files_as_collected(all_services: Fleet) -> None:
    assert get(all_services, "/admin/login/").headers["Location"] == f"https://{HOST}/admin/login/"
    page = get(all_services, "/admin/login/", **{"X-Forwarded-Proto": "https"})
    assert page.status_code == 200 and "max-age=31536000" in page.headers["Strict-Transport-Security"]
    assert "Secure" in page.headers["Set-Cookie"]
    style = next(part.split('"')[0] for part in page.text.split('href="')[1:] if ".css" in part.split('"')[0])
    answer = get(all_services, style, **{"X-Forwarded-Proto": "https"})
    assert answer.status_code == 200 and "immutable" in answer.headers["Cache-Control"]


def test_the_web_process_answers_to_its_own_names_only(all_services: Fleet) -> None:
    assert get(all_services, "/healthz", Host="elsewhere.example.net").status_code == 400


def test_with_a_second_beat_and_a_second_monitor_each_step_is_told_once(all_services: Fleet, venues: FakeVenues, telegram: FakeTelegram) -> None:
    for name in ("beat", "monitor"):
        wait_until(all_services.start(name, 2).is_healthy, HEALTHY_S, f"health of the second {name}")
    telegram.user_says(CHAT, "/start")
    wait_until(lambda: story.accepted(telegram, CHAT), 60, "an answer to /start")
    telegram.clear()
    wait_until(lambda: venues.connections("bybit") == 2 and all(client.topics for client in venues.connects["bybit"]), 60, "two monitors")
    for step in ("MODERATE", "HIGH"):
        story.pour(venues, "BTC", story.RUNGS["BTC"][step])
        time.sleep(0.5)  # two frames of the venues, not one
    wait_until(lambda: "HIGH" in story.steps_sent(telegram, CHAT, "BTC"), 60, "a message about the last step")
    wait_until(lambda: all_services.query("SELECT count(*) FROM alerts_delivery WHERE state IN ('pending', 'sending')") == [(0,)], 30, "an empty outbox")
    assert set(story.steps_sent(telegram, CHAT, "BTC").values()) == {1}
    assert all_services.query("SELECT count(*) FROM monitors_liquidation") == [(12,)], "two events a venue, twice, each saved once"
    assert all_services.query("SELECT count(*) FROM alerts_alert WHERE asset = 'BTC'") == [(1,)]


def test_the_check_of_a_killed_worker_fails_and_the_others_go_on(all_services: Fleet) -> None:
    first, second, third = (all_services.containers[f"worker-alerts-{number}"] for number in (1, 2, 3))
    assert first.process is not None
    kill(first.process)
    failed = first.health()
    assert failed.returncode == 1 and "has ended" in failed.stderr
    assert second.is_healthy() and third.is_healthy()
    assert get(all_services, "/readyz").json()["parts"]["workers alerts"] == "ok"


def test_all_end_in_order_within_their_grace(all_services: Fleet) -> None:
    running = [one for one in all_services.containers.values() if one.service.name in LONG_RUNNING and one.process is not None and one.process.poll() is None]
    assert len(running) == len(LONG_RUNNING) + 3
    asked_at = time.monotonic()
    for container in running:
        assert container.process is not None
        container.process.send_signal(signal.SIGTERM)
    for container in running:
        assert container.process is not None
        left_s = asked_at + container.service.grace_s - time.monotonic()
        assert container.process.wait(max(0.1, left_s)) == 0, container.output
    assert all("Traceback" not in container.output for container in running)
