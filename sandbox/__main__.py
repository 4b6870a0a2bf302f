"""`python -m sandbox`: the workspace by itself, for an app under development."""

import argparse
import json
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from sandbox.first_workspace import APP_TOKEN, BOT_TOKEN, COMMAND, SIGNING_SECRET
from sandbox.manifest import Command, Manifest, read_manifest
from sandbox.sandbox_server import SandboxServer
from sandbox.web_app import build_room


def main() -> int:
    options = _options()
    try:
        room = build_room(
            mode=options.mode,
            request_url=options.request_url,
            bot_token=options.bot_token,
            app_token=options.app_token,
            signing_secret=options.signing_secret,
            manifest=_manifest(options),
            tour=json.loads(options.tour.read_text("utf-8")) if options.tour else None,
        )
        server = SandboxServer(room, options.host, options.port)
    except (OSError, ValueError) as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 2
    sys.stdout.write(
        f"{server.url}\n"
        f"SLACK_API_URL={server.url}/api/\n"
        f"SLACK_BOT_TOKEN={options.bot_token}\n"
        f"SLACK_APP_TOKEN={options.app_token}\n"
        f"SLACK_SIGNING_SECRET={options.signing_secret}\n"
    )
    sys.stdout.flush()
    room.journal.listeners.add(_say)
    if options.until_stdin_ends:
        threading.Thread(target=_end_with_stdin, args=(server,), daemon=True).start()
    with suppress(KeyboardInterrupt):
        server.run()
    return 0


def _say(sentence: str) -> None:
    """A line for each thing that the newsletter does, after the address and the settings."""
    with suppress(OSError):  # nobody reads any more
        sys.stdout.write(f"{sentence}\n")
        sys.stdout.flush()


def _end_with_stdin(server: SandboxServer) -> None:
    # Not through sys.stdin, whose lock a daemon thread would still hold at the very end.
    while os.read(0, 4096):
        pass
    server.end()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3030)
    parser.add_argument("--mode", choices=("socket", "http"), default="socket")
    parser.add_argument("--request-url", default="", help="where the app listens, in http mode")
    parser.add_argument("--signing-secret", default=SIGNING_SECRET)
    parser.add_argument("--bot-token", default=BOT_TOKEN)
    parser.add_argument("--app-token", default=APP_TOKEN)
    parser.add_argument("--command", default=COMMAND, help="the app's slash command")
    parser.add_argument("--manifest", type=Path, help="scopes, events, commands, shortcuts")
    parser.add_argument("--tour", type=Path, metavar="FILE.json", help="what the page suggests")
    parser.add_argument(
        "--until-stdin-ends",
        action="store_true",
        help="end when standard input does, and so with whoever holds its other end",
    )
    return parser.parse_args()


def _manifest(options: argparse.Namespace) -> Manifest:
    if options.manifest is None:
        return Manifest(commands=(Command(name=options.command),))
    text = options.manifest.read_text("utf-8")
    if options.manifest.suffix == ".json":
        body: Any = json.loads(text)
    else:
        import yaml  # among the development packages only: the demo does not need it

        body = yaml.safe_load(text)
    return read_manifest(body)


if __name__ == "__main__":
    raise SystemExit(main())
