"""`optin serve` and `optin demo`. What they run is loaded only when they are asked for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from bot.cli.command_session import read_settings
from bot.cli.terminal import log_to_stderr
from bot.config.settings import Mode


class Way(StrEnum):
    """How Slack reaches Optin. AUTO is Socket Mode where there is an app-level token, else HTTP."""

    AUTO = "auto"
    SOCKET = "socket"
    HTTP = "http"


_Port = Annotated[int, typer.Option(min=0, max=65535, help="0 is any free one.")]


def demo(
    port: _Port = 3030,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
) -> None:
    """Runs everything on this machine, with no account anywhere: a workspace in the browser, the
    bot and sample contacts. Nothing is kept.
    """
    from bot.demo import run

    run(port, browser)


def serve(
    mode: Annotated[
        Way, typer.Option(help="How Slack reaches us; auto is Socket Mode where it has a token.")
    ] = Way.AUTO,
    host: Annotated[str, typer.Option(help="Where the web server listens.")] = "127.0.0.1",
    port: _Port = 3000,
) -> None:
    """Runs the bot and its web server, until it is told to stop.

    \b
      optin doctor
      optin serve
      optin serve --mode http --host 0.0.0.0 --port 8080
    """
    from bot.app import serve as run

    log_to_stderr()
    run(read_settings(need_slack=True), None if mode is Way.AUTO else Mode(mode), host, port)
