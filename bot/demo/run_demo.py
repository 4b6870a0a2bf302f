"""Starts the workspace, fills a storage of its own, and runs the bot between them."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from time import sleep

import yaml

from bot.app import assemble
from bot.config.settings import Mode, Settings, SettingsError
from bot.demo.activity_printer import telling
from bot.demo.demo_lists import confirm_lists, fill_lists, list_settings
from bot.demo.demo_newsletter import ALLOWED, give_access, settle_newsletter
from bot.demo.demo_world import DemoWorld
from bot.demo.samples import SENDERS, fill
from bot.demo.tour import TOUR
from bot.runtime.open_service import open_service
from bot.runtime.read_settings import read_settings
from handlers.webhooks.registry import known_providers

logger = logging.getLogger(__name__)

_HERE = Path(__file__).resolve().parents[2]
_MANIFEST = _HERE / "manifest.yml"
#: #optin-alerts in the sandbox's workspace.
_ALERTS = "C0ALERTS01"
#: #optin-approvals.
_APPROVALS = "C0APPROVAL"
#: The user group of Lee and Mia.
_MANAGERS = "S0MANAGERS"
#: Where the demo says that the company's CRM is. Nothing is asked there.
_CRM = "crm.example.com"
#: Seconds between two looks at whether the bot is connected.
_LOOK_AGAIN = 0.05


def run(port: int, browser: bool) -> None:
    """Serves the page at this port (0: any free one) until it is told to stop.

    Prints the address of the page first, and then a line for each thing that happens. Nothing is
    kept: contacts live in a temporary folder.
    """
    outside = DemoWorld()
    with (
        tempfile.TemporaryDirectory(prefix="optin-demo-") as folder,
        _workspace(port, Path(folder)) as (page, given),
        open_service(settings := _settings(given, page, outside, Path(folder))) as service,
    ):
        # What lies in the past was written to the lists, or was not: Optin has nothing to add.
        count = fill(replace(service, providers=known_providers()))
        fill_lists(page, outside.sendgrid_key, service)
        confirm_lists(service, settings.providers)
        access = give_access(service, page)
        with (
            telling(service),
            assemble(settings, service, mode=Mode.SOCKET, port=0) as running,
        ):
            outside.settle(page, running.server.url, service)
            settle_newsletter(page, running.server.url, access, service)

            def welcome() -> None:
                # Not before the bot is connected: what is typed earlier would reach nobody.
                while not running.ready():
                    sleep(_LOOK_AGAIN)
                print(f"Optin's demo: {page}", flush=True)  # noqa: T201 - what the command is for
                logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s")
                logging.info("%d sample contacts; press Ctrl+C to stop", count)
                if browser:
                    webbrowser.open(page)

            Thread(target=welcome, name="welcome", daemon=True).start()
            running.server.run()


def _settings(given: dict[str, str], page: str, outside: DemoWorld, folder: Path) -> Settings:
    env = {
        **given,
        **outside.settings(),
        **list_settings(page, outside.sendgrid_key),
        "OPTIN_STORAGE": f"tinydb:///{folder / 'optin.json'}",
        "OPTIN_ALERT_CHANNEL": _ALERTS,
        "OPTIN_APPROVAL_CHANNEL": _APPROVALS,
        "OPTIN_MANAGERS": _MANAGERS,
        "OPTIN_WEBHOOK_ALLOW": ALLOWED,
        "OPTIN_CRM_URL": f"https://{_CRM}/contacts/{{external_id}}",
    }
    return replace(read_settings(env, need_slack=True), senders=SENDERS)


@contextmanager
def _workspace(port: int, folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The sandbox as a process of its own: it knows nothing of us, and we only its protocol.

    Gives the address of its page, and the settings with which an app connects to it.
    """
    tour = folder / "tour.json"
    tour.write_text(json.dumps(TOUR), encoding="utf-8")
    manifest = folder / "manifest.json"
    ours = yaml.safe_load(_MANIFEST.read_text("utf-8"))
    ours["features"]["unfurl_domains"] = [_CRM]
    manifest.write_text(json.dumps(ours), encoding="utf-8")
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--tour", str(tour)]
    command += ["--manifest", str(manifest), "--until-stdin-ends"]
    with (
        subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_HERE,
            # Ctrl+C is for us alone: the sandbox is there until we have said goodbye to it.
            start_new_session=True,
        ) as process,
        ExitStack() as later,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        # However we end, our end of its standard input does, and it with that.
        with process.stdin:
            page = process.stdout.readline().strip()
            if not page:
                raise SettingsError(
                    f"The page can't be served at port {port}. Choose another one: "
                    "`optin demo --port 3031`, or `make demo PORT=3031`."
                )
            settings = (process.stdout.readline().strip() for _ in range(4))
            given = dict(setting.split("=", 1) for setting in settings)
            teller = Thread(target=_repeat, args=(process.stdout,), name="sandbox", daemon=True)
            teller.start()
            # Its output ends with it, and is read to the end before it is closed.
            later.callback(teller.join)
            yield page, given


def _repeat(lines: Iterable[str]) -> None:
    """Logs what the sandbox says of the newsletter, among the lines about the Activity Log."""
    for line in lines:
        logger.info("%s", line.rstrip())
