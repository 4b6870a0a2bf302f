"""Starts the workspace, fills a storage of its own, and runs the bot between them."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bot.app import assemble, open_service
from bot.demo.samples import SENDERS, fill
from bot.demo.tour import TOUR
from bot.settings import Mode, Settings, SettingsError

_HERE = Path(__file__).resolve().parents[2]


def run(port: int, browser: bool) -> None:
    """Serves the page at this port (0: any free one) until it is told to stop.

    Prints the address of the page first. Nothing is kept: contacts live in a temporary folder.
    """
    with (
        tempfile.TemporaryDirectory(prefix="optin-demo-") as folder,
        _workspace(port, Path(folder)) as (page, given),
        open_service(_settings(given, Path(folder))) as service,
    ):
        print(f"Optin's demo: {page}", flush=True)  # noqa: T201 - what the command is for
        logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s")
        count = fill(service)
        settings = _settings(given, Path(folder))
        with assemble(settings, service, mode=Mode.SOCKET, port=0) as running:
            logging.info("%d sample contacts; press Ctrl+C to stop", count)
            if browser:
                webbrowser.open(page)
            running.server.run()


def _settings(given: dict[str, str], folder: Path) -> Settings:
    env = {**given, "OPTIN_STORAGE": f"tinydb:///{folder / 'optin.json'}"}
    return replace(Settings.read(env, need_slack=True), senders=SENDERS)


@contextmanager
def _workspace(port: int, folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The sandbox as a process of its own: it knows nothing of us, and we only its protocol.

    Gives the address of its page, and the settings with which an app connects to it.
    """
    tour = folder / "tour.json"
    tour.write_text(json.dumps(TOUR))
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--tour", str(tour)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_HERE)
    try:
        assert process.stdout is not None
        page = process.stdout.readline().strip()
        if not page:
            raise SettingsError(f"The page can't be served at port {port}: try another --port.")
        settings = (process.stdout.readline().strip() for _ in range(4))
        given = dict(setting.split("=", 1) for setting in settings)
        yield page, given
    finally:
        process.terminate()
        process.wait()
