"""What the Slack CLI calls during `slack run`, by `.slack/hooks.json`.

Its own hooks for Python read a `manifest.json` only, and start an `app.py`.
https://docs.slack.dev/tools/slack-cli/reference/hooks
"""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import yaml

MANIFEST = Path(__file__).parents[2] / "manifest.yml"

#: Ours, and the name under which older versions of the CLI bring the token.
_TOKENS = {"SLACK_BOT_TOKEN": "SLACK_CLI_XOXB", "SLACK_APP_TOKEN": "SLACK_CLI_XAPP"}


def main(arguments: Sequence[str]) -> None:
    """Runs a hook. What is printed is the CLI's; flags that a newer CLI brings are ignored."""
    parser = ArgumentParser(prog="python -m bot.cli.slack_hooks")
    parser.add_argument("hook", choices=["get-manifest", "start"])
    parser.add_argument("--protocol")
    #: Put around the answer, so that the CLI can tell it from anything else that is printed.
    parser.add_argument("--boundary", default="")
    asked, _ = parser.parse_known_args(arguments)
    if asked.hook == "start":
        _start(os.environ)
    manifest = json.dumps(yaml.safe_load(MANIFEST.read_text(encoding="utf-8")))
    boundary = asked.boundary if asked.protocol == "message-boundaries" else ""
    sys.stdout.write(f"{boundary}{manifest}{boundary}\n")


def _start(env: Mapping[str, str]) -> NoReturn:
    """Becomes the bot, so that the CLI's signals reach it."""
    given = {ours: env[theirs] for ours, theirs in _TOKENS.items() if theirs in env}
    command = [sys.executable, "-m", "bot", "serve", "--mode", "socket"]
    os.execve(sys.executable, command, given | dict(env))  # noqa: S606 - our own interpreter and command


if __name__ == "__main__":
    main(sys.argv[1:])
