"""`optin serve` with a witness: it publishes the head when it starts, and when it stops."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from bot.consent.log.heads import head_text
from bot.consent.use_cases.witnessed_heads import check_heads
from bot.runtime import clock
from handlers.witnesses.file_witness import FileWitness
from sandbox.client import Workspace
from tests.support.consent_fixtures import open_service
from tests.support.serving import deliver, serving
from tests.support.storages import path_in


def test_serve_publishes_the_head_at_its_start_and_at_its_stop(tmp_path: Path) -> None:
    path = tmp_path / "log-heads.txt"
    (tmp_path / ".env").write_text(f"OPTIN_WITNESSES=slack,{path.as_uri()}\n")
    witness = FileWitness(path, "file")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with Workspace.start(mode="http") as slack:
        for number in (1, 2):
            with serving(tmp_path, slack, port) as bot:
                while number == 2 and witness.newest() is None:
                    time.sleep(0.02)
                known = len(witness.remembered())
                assert deliver(port, f"SM{number}", f"+1415555010{number}")
                bot.terminate()
                assert bot.wait(30) == 0
            assert len(witness.remembered()) == known + 1
        posted = [
            one
            for one in slack.person("Lee").messages("#optin-alerts")
            if "Activity Log" in one.plain
        ]

    service = open_service(path_in(tmp_path / "storage"), clock.now)
    try:
        with service.store.reading() as records:
            newest = witness.newest()
            assert newest
            assert head_text(newest) in posted[-1].raw["text"]
            assert (newest.size, newest.chain) == records.log.head()
        assert check_heads(service, witness.remembered()) is None
    finally:
        service.store.close()
