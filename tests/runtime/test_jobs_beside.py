"""What runs beside the server runs once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bot.app import assemble
from bot.config.settings import Mode
from bot.runtime.open_service import open_service
from bot.runtime.read_settings import read_settings
from handlers.suppression_lists.list_reader import ListReader
from handlers.suppression_lists.write_worker import WriteWorker
from sandbox.client import Workspace


def test_each_list_is_read_and_written_by_one_worker(tmp_path: Path) -> None:
    with Workspace.start(mode="http") as workspace:
        env = {
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_SIGNING_SECRET": workspace.signing_secret,
            "SLACK_API_URL": workspace.api_url,
            "OPTIN_STORAGE": f"tinydb:///{tmp_path / 'optin.json'}",
            "OPTIN_SENDGRID_API_KEY": "SG.key",
        }
        settings = read_settings(env, need_slack=True)
        with (
            open_service(settings) as service,
            assemble(settings, service, mode=Mode.HTTP, port=0) as running,
        ):
            workers = Counter(type(getattr(job, "__self__", None)) for job in running.server.beside)
    assert workers[WriteWorker] == workers[ListReader] == 1
