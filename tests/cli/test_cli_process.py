"""`python -m bot` as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from sandbox.client import Workspace
from tests.support.forked_commands import ForkedCommand
from tests.support.storages import path_in, url_of

ROOT = Path(__file__).resolve().parents[2]

Process = subprocess.Popen[str] | ForkedCommand
Start = Callable[..., Process]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("OPTIN_")}
    return env | {"PYTHONPATH": str(ROOT), "OPTIN_STORAGE": url_of(path_in(tmp_path / "data"))}


@pytest.fixture
def start(tmp_path: Path, env: dict[str, str]) -> Start:
    """Starts a command in a folder of its own, as a user does."""

    def started(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "bot", *arguments],
            cwd=tmp_path,
            env=env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return started


@pytest.fixture
def fork(tmp_path: Path, env: dict[str, str]) -> Iterator[Start]:
    """The same where it does not matter how a process begins."""
    with ExitStack() as running:

        def started(*arguments: str) -> ForkedCommand:
            process = ForkedCommand(arguments, folder=tmp_path, env=env)
            running.enter_context(process)
            running.callback(process.kill)
            return process

        yield started


def ended(process: Process) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def many(folder: Path, count: int, first: int = 0) -> str:
    path = folder / f"many{first}.csv"
    rows = [
        f"Name {n},+1415{200 + n // 10_000}{n % 10_000:04},yes" for n in range(first, first + count)
    ]
    path.write_text("\n".join(["name,phone,sms_on", *rows]) + "\n")
    return path.name


def test_a_contact_lives_from_one_command_to_the_next(start: Start) -> None:
    added = ended(start("contact", "add", "--name", "Ana", "--phone", "+14155550100"))
    status, out, err = ended(start("status", "+1 415 555 0100"))

    assert added[0] == 0
    assert (status, err) == (0, "")
    assert out.startswith("Ana\n")


def test_a_command_loads_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    """What these take to load is more than all the rest of a command with TinyDB."""
    command = [sys.executable, "-X", "importtime", "-m", "bot", "status", "Nobody"]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=env, text=True, capture_output=True)

    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 1
    assert "storage.tinydb.tinydb_store" in loaded
    rooms = {
        "bot.app",
        "handlers.web",
        "handlers.contacts_file",
        "sandbox",
        "bot.cli.serve_command",
    }
    web = {"slack_bolt", "slack_sdk", "starlette", "uvicorn", "aiohttp", "websockets"}
    rest = {"sqlalchemy", "psycopg", "cryptography", "jwt", "email_validator", "holidays", "rich"}
    network = {"asyncio", "http.client", "ssl"}
    assert loaded & (rooms | web | rest | network) == set()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(("status", "Nobody"), 1), (("set", "x", "--sms", "maybe"), 2), (("import", "no.csv"), 2)],
)
def test_errors_are_one_sentence_on_stderr(
    start: Start, arguments: tuple[str, ...], status: int
) -> None:
    done, out, err = ended(start(*arguments))

    assert (done, out) == (status, "")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "command",
    [
        *("", "demo", "serve", "status", "set", "contact", "activity", "import", "export"),
        *("erase", "verify", "doctor"),
    ],
)
def test_every_command_explains_itself(fork: Start, command: str) -> None:
    status, out, err = ended(fork(*filter(None, [command]), "--help"))

    assert (status, err) == (0, "")
    assert out.startswith(f"Usage: optin {command}".rstrip())
    assert max(map(len, out.splitlines())) <= 80 or command == "import"


def test_serving_says_where_and_logs_refusals_without_a_number(tmp_path: Path) -> None:
    secret = {"OPTIN_TWILIO_AUTH_TOKEN": "t" * 32, "OPTIN_PUBLIC_URL": "https://optin.example"}
    with Workspace.start(mode="socket") as workspace:
        slack = {
            "SLACK_API_URL": workspace.api_url,
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_APP_TOKEN": workspace.app_token,
        }
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **slack, **secret}
        command = [sys.executable, "-m", "bot", "serve", "--port", "0"]
        process = subprocess.Popen(
            command, cwd=tmp_path, env=env, text=True, stderr=subprocess.PIPE
        )
        assert process.stderr
        begun = process.stderr.readline()
        url = re.search(r"http://\S+\d", begun)
        assert url, begun
        form = {"From": "+14155550100", "Body": "STOP"}
        answer = httpx.post(f"{url[0]}/webhooks/twilio/inbound", data=form)
        process.terminate()
        status, _, err = ended(process)

    assert begun.endswith(" and to Slack by socket\n")
    assert (status, answer.status_code) == (0, 401)
    assert re.search(r"^2\d{3}-\S+ \S+ WARNING twilio: answered 401, forged", err, re.MULTILINE)
    assert "0100" not in err
    assert "STOP" not in err


def test_a_reader_that_has_seen_enough_is_no_error(start: Start, tmp_path: Path) -> None:
    assert ended(start("import", many(tmp_path, 3_000)))[0] == 0

    process = start("export")
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline().startswith("name,phone")
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)

    assert err == ""


def test_an_interrupted_import_keeps_whole_rows_and_can_be_done_again(
    fork: Start, tmp_path: Path
) -> None:
    rows = 20_000
    name = many(tmp_path, rows)
    process = fork("import", name)
    log = tmp_path / "data" / "optin.json.log"
    while not (log.exists() and log.stat().st_size > 100_000):
        # It stands still while this looks, so that it can't end before the signal.
        process.send_signal(signal.SIGCONT)
        time.sleep(0.02)
        process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    status, _, err = ended(process)

    assert status == 130
    assert "Traceback" not in err
    assert err.startswith("Stopped.")

    before = ended(fork("export"))[1].count("\n") - 1
    again = ended(fork("import", name))

    assert 0 < before < rows
    assert f"{rows - before:>9,}  contacts added" in again[1]
    assert ended(fork("verify"))[0] == 0


def test_commands_work_beside_a_running_import(fork: Start, tmp_path: Path) -> None:
    ended(fork("contact", "add", "--name", "Ana", "--phone", "+12125550100"))
    imports = [fork("import", many(tmp_path, 2_000, first)) for first in (0, 2_000)]
    flips = [
        ended(fork("set", "Ana", "--do-not-contact", word, "--reason", "x"))[0]
        for word in ("yes", "no", "yes")
    ]
    done = [ended(process) for process in imports]

    assert flips == [0, 0, 0]
    assert [status for status, _, _ in done] == [0, 0]
    assert ended(fork("export"))[1].count("\n") == 4_002
    status, out, _ = ended(fork("verify"))
    assert status == 0
    assert re.match(r"8,008 entries hold\.", out)
