"""How soon each entry point is acknowledged, as Slack would measure it.

Two workspaces do the same in turns: one delivers to the bot, the other to an empty Bolt handler
behind the same server. Then Slack's own answers take 200 ms, and only the bot is measured.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from slack_sdk import WebClient

from bot.demo.samples import fill
from bot.runtime.open_service import open_service
from bot.runtime.read_settings import read_settings
from sandbox.client import PersonClient, ShownMessage, Workspace
from sandbox.first_workspace import SIGNING_SECRET, SUPPORT
from sandbox.manifest import Manifest, read_manifest
from sandbox.sandbox_server import SandboxServer
from sandbox.web_app import build_room
from sandbox.workspace_context import Room
from tests.bench._empty_bolt import empty_bolt
from tests.bench._servers import bot, quantile

Report = Callable[[str, float, str, bool, str], None]

_ROUNDS, _TURN, _WARM = 6, 20, 5
_SLOW_ROUNDS = 60
_BAR, _SLOW_BAR = 2.0, 300.0
#: Seconds of Slack's own answers.
_DELAY = 0.2
_ROOT = Path(__file__).resolve().parents[2]
_CRM = "crm.example.com"
_LINK = f"https://{_CRM}/contacts/C-1042"
_PHONE = "+1 415 555 0106"


@dataclass(slots=True)
class Desk:
    """Ana in one workspace, and what she uses there."""

    workspace: Workspace
    room: Room
    ana: PersonClient
    #: A message of hers.
    ticket: ShownMessage
    #: Messages of the app, with one button each.
    card: ShownMessage
    below_link: ShownMessage


#: What she does, by what it is called: milliseconds of the acknowledgement.
Act = Callable[[Desk], float]


ACTS: dict[str, Act] = {
    "command": lambda desk: desk.ana.command(f"/optin {_PHONE}").ms,
    "message shortcut": lambda desk: desk.ana.shortcut("check_message", desk.ticket).ms,
    "global shortcut": lambda desk: desk.ana.shortcut("find_contact").ms,
    "mention": lambda desk: desk.ana.say(f"@optin {_PHONE}").ms,
    "direct message": lambda desk: desk.ana.say(_PHONE, "directmessage").ms,
    "link": lambda desk: _told(desk, "link_shared", lambda: desk.ana.say(_LINK, "#random")),
    "button below a link": lambda desk: desk.ana.press("Check opt-in", in_=desk.below_link).ms,
    "Home": lambda desk: _told(desk, "app_home_opened", desk.ana.home),
    "step": lambda desk: desk.ana.run_step("check_status", contact=_PHONE).ms,
    "Edit button of the card": lambda desk: desk.ana.press("Edit", in_=desk.card).ms,
    "button of the card": lambda desk: desk.ana.press("Activity Log", in_=desk.card).ms,
}


def run(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        ours = stack.enter_context(_ours(f"tinydb:///{folder}/optin.json"))
        empty = stack.enter_context(_empty(ours))
        for name, act in ACTS.items():
            mine, floor = _in_turns(act, ours, empty)
            us, them = quantile(mine, 0.5), quantile(floor, 0.5)
            report(
                f"acknowledgement of a {name}, p50, in times of an empty handler",
                us / them,
                f"<= {_BAR:.0f}",
                us / them <= _BAR,
                f"{us:.1f} ms and {them:.1f} ms",
            )
        for name, act in ACTS.items():
            slow = _while_slack_is_slow(act, ours)
            late = quantile(slow, 0.99)
            report(
                f"acknowledgement of a {name} while Slack takes {_DELAY * 1e3:.0f} ms, p99, in ms",
                late,
                f"<= {_SLOW_BAR:.0f}",
                late <= _SLOW_BAR,
                f"p50 {quantile(slow, 0.5):.1f} ms",
            )


def _in_turns(act: Act, ours: Desk, empty: Desk) -> tuple[list[float], list[float]]:
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(_ROUNDS + 1):
        for desk, into in zip((ours, empty), taken, strict=True):
            found = [_alone(act, desk) for _ in range(_TURN if turn else _WARM)]
            into += found if turn else []
            _cleared(desk)
    return taken


def _while_slack_is_slow(act: Act, desk: Desk) -> list[float]:
    desk.workspace.fault("*", "timeout", seconds=_DELAY, times=1_000_000)
    try:
        taken = [_alone(act, desk, _DELAY / 2) for _ in range(_SLOW_ROUNDS)]
    finally:
        desk.workspace.clear_faults()
    _cleared(desk)
    return taken


def _alone(act: Act, desk: Desk, pause: float = 0.05) -> float:
    """One act, and what the app does behind its acknowledgement, which nobody waits for."""
    taken = act(desk)
    last = None
    while (now := _newest(desk.room)) != last or now is None:
        last = now
        time.sleep(pause)
    desk.room.world.stacks.clear()
    return taken


def _newest(room: Room) -> int | None:
    """The newest line of traffic; None while one is under way."""
    lines = list(room.journal.lines)
    if any(line.outcome == "…" for line in lines[-10:]):
        return None
    return lines[-1].number


def _cleared(desk: Desk) -> None:
    """Without what was said meanwhile, so that the last turn is as quick as the first."""
    kept = {one.ts for one in (desk.ticket, desk.card, desk.below_link)}
    for messages in desk.room.world.messages.values():
        for ts in [ts for ts in messages if ts not in kept]:
            del messages[ts]


def _told(desk: Desk, event: str, do: Callable[[], object]) -> float:
    """Of an act that is several events: how long this one took."""
    do()
    lines = list(desk.room.journal.lines)
    return next(line.ms for line in reversed(lines) if line.method == event)


@contextmanager
def _workspace() -> Iterator[tuple[Workspace, Room]]:
    room = build_room(mode="http", manifest=_manifest(), ack_timeout=10)
    server = SandboxServer(room)
    server.start()
    with Workspace(server.url, server) as workspace:
        yield workspace, room


@contextmanager
def _ours(storage: str) -> Iterator[Desk]:
    with _workspace() as (workspace, room):
        settings = {
            "OPTIN_CRM_URL": f"https://{_CRM}/contacts/{{external_id}}",
            "OPTIN_MANAGERS": "S0MANAGERS",
        }
        with open_service(read_settings({"OPTIN_STORAGE": storage})) as service:
            fill(service)
        with bot(
            workspace.api_url, storage, SLACK_SIGNING_SECRET=workspace.signing_secret, **settings
        ) as served:
            workspace.set_request_url(f"http://127.0.0.1:{served.port}/slack/events")
            ana = workspace.person("Ana")
            (card,) = ana.command(f"/optin {_PHONE}").messages
            ana.say(_LINK)
            workspace.wait_until(lambda: "Check opt-in" in ana.messages()[-1].buttons)
            below_link = ana.messages()[-1]
            ana.say(f"A ticket of {_PHONE}")
            yield Desk(workspace, room, ana, ana.messages()[-1], card, below_link)


@contextmanager
def _empty(ours: Desk) -> Iterator[Desk]:
    with _workspace() as (workspace, room), empty_bolt(SIGNING_SECRET) as port:
        workspace.set_request_url(f"http://127.0.0.1:{port}/slack/events")
        ana = workspace.person("Ana")
        ana.say(f"A ticket of {_PHONE}")
        ticket = ana.messages()[-1]
        client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
        shown = []
        for like in (ours.card, ours.below_link):
            client.chat_postMessage(channel=SUPPORT, text="The same", blocks=like.blocks)
            shown.append(ana.messages()[-1])
        yield Desk(workspace, room, ana, ticket, *shown)


def _manifest() -> Manifest:
    ours = read_manifest(yaml.safe_load((_ROOT / "manifest.yml").read_text("utf-8")))
    return replace(ours, domains=frozenset({_CRM}))
