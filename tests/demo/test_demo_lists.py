"""SendGrid's lists in the demo hold what the samples say, and a manager lets Optin write to them."""

from __future__ import annotations

from dataclasses import replace

from bot.config.settings import Settings
from bot.consent.use_cases import Service
from bot.consent.use_cases.lists.list_state import read_state
from bot.demo.demo_lists import confirm_lists, fill_lists, list_settings
from bot.demo.samples import fill
from bot.runtime.read_settings import read_settings
from handlers.webhooks.registry import known_providers
from sandbox.client import Workspace

KEY = "SG.of-the-demo"


def settings_for(ws: Workspace) -> Settings:
    return read_settings(list_settings(ws.url, KEY))


def test_whoever_is_suppressed_stands_on_the_list_for_it(service: Service) -> None:
    fill(service)
    with Workspace.start(mode="socket") as ws:
        fill_lists(ws.url, KEY, service)
        entries = ws.lists("sendgrid").entries()

    assert {(entry["list"], entry["address"]) for entry in entries} == {
        ("bounces", "marco@example.com"),
        ("spam_reports", "paula@example.com"),
        ("unsubscribes", "nora@example.com"),
    }
    assert max(entry["at"] for entry in entries) < service.now().timestamp()


def test_a_manager_confirms_the_first_write_after_the_first_read(service: Service) -> None:
    fill(service)
    with Workspace.start(mode="socket") as ws:
        settings = settings_for(ws)
        providers = known_providers(settings.providers, write_back=settings.write_back)
        writing = replace(service, providers=providers)
        fill_lists(ws.url, KEY, service)
        confirm_lists(writing, settings.providers)
        wrong_keys = ws.lists("sendgrid").statuses.get("401", 0)

    state = read_state(writing, "sendgrid")
    assert state.confirmed
    assert state.confirmed_by == "slack:U0LEECHEN1"
    assert state.last_report is not None
    assert state.last_report.only_ours == 1  # Oscar asked by phone, and SendGrid does not know
    assert wrong_keys == 0
