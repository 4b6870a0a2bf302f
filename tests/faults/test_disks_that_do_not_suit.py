"""Disks on which Optin does less than usual: nearly full ones, and those of another machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.consent.errors import Refused
from bot.consent.use_cases import Details
from bot.consent.use_cases.imports import import_rows
from bot.consent.use_cases.imports.rows import Row
from bot.runtime import clock
from sandbox.client import Workspace
from sandbox.first_workspace import ALERTS, APPROVALS, MANAGERS
from tests.support.balancer import free_ports
from tests.support.cli_fixtures import Cli
from tests.support.consent_fixtures import OPERATOR, open_service
from tests.support.injected_faults import needs_gcc, preloaded, small_file_system
from tests.support.serving import answers, deliver, serving
from tests.support.storages import KINDS, on_disk, path_in, url_of, with_tables

ROOT = Path(__file__).parents[2]
EMBEDDED = [kind for kind in KINDS if kind != "postgresql"]
MEGABYTE = 1024 * 1024
ONE = "name,phone,sms_on\nNina Roth,+12125550177,yes\n"


@pytest.mark.parametrize("kind", EMBEDDED)
def test_a_disk_that_is_nearly_full_takes_opt_outs_and_no_import(
    tmp_path: Path, kind: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = tmp_path / "disk" / path_in(Path(), kind)
    monkeypatch.setenv("OPTIN_STORAGE", url_of(storage))
    (port,) = free_ports(1)
    with (
        small_file_system(tmp_path / "disk", "64m"),
        Workspace.start(mode="http") as slack,
        serving(tmp_path, slack, port, url_of(storage)),
    ):
        nearly_fill(storage.with_name("filler"))
        refused = cli("import", cli.file(ONE))
        taken = deliver(port, "SM1", "+12125550177")
        ready = answers(port, "/readyz")
        storage.with_name("filler").unlink()
        imported = cli("import", cli.file(ONE))

    assert refused.status == 1
    assert "The disk of the storage is nearly full" in refused.err
    assert "Nothing was imported." in refused.err
    assert taken
    assert ready
    assert imported.status == 0


@pytest.mark.parametrize("kind", EMBEDDED)
def test_an_import_stops_before_it_fills_the_disk_and_goes_on_later(
    tmp_path: Path, kind: str
) -> None:
    storage = tmp_path / "disk" / path_in(Path(), kind)
    rows = [
        Row(line=n, details=Details(name=f"Nia {n}", phone=f"+1212200{n:04}")) for n in range(700)
    ]
    with small_file_system(tmp_path / "disk", "64m"):
        service = open_service(storage, clock.now)

        def fill_meanwhile(done: int) -> None:
            if not storage.with_name("filler").exists():
                nearly_fill(storage.with_name("filler"))

        with pytest.raises(Refused, match="The import stopped after 300 rows"):
            import_rows(service, rows, file="new.csv", actor=OPERATOR, progress=fill_meanwhile)
        storage.with_name("filler").unlink()
        again = import_rows(service, rows, file="new.csv", actor=OPERATOR)
        with service.store.reading() as records:
            contacts = sum(1 for _ in records.contacts.all())
        service.store.close()

    assert sorted(again.counts.values()) == [300, 400]
    assert contacts == 700


@needs_gcc
@pytest.mark.parametrize("system", ["nfs4", "fuse.sshfs"])
@pytest.mark.parametrize("kind", EMBEDDED)
def test_a_storage_on_a_network_file_system_is_refused_at_the_start(
    tmp_path: Path, kind: str, system: str
) -> None:
    storage = with_tables(path_in(tmp_path / "storage", kind))
    open_service(storage, clock.now).store.close()
    before = on_disk(storage)
    (port,) = free_ports(1)
    with Workspace.start(mode="http") as slack:
        env = {
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "OPTIN_ALERT_CHANNEL": ALERTS,
            "OPTIN_APPROVAL_CHANNEL": APPROVALS,
            "OPTIN_MANAGERS": MANAGERS,
            "OPTIN_PUBLIC_URL": "https://optin.example.com",
        }
        refused = on_file_system(
            tmp_path, system, storage, "serve", "--mode", "http", "--port", str(port), **env
        )
    after = on_disk(storage)
    local = on_file_system(tmp_path, "ext4", storage, "verify")

    assert refused.returncode == 1
    assert f"is on a network file system ({system})" in refused.stdout
    assert "Traceback" not in refused.stdout
    assert after == before
    assert local.returncode == 0, local.stdout


def on_file_system(
    folder: Path, system: str, storage: Path, *command: str, **env: str
) -> subprocess.CompletedProcess[str]:
    """The command, where the kernel calls the file system of the storage so."""
    device = storage.stat().st_dev
    mounts = folder / f"mounts-{system}"
    mounts.write_text(
        f"1 0 {os.major(device)}:{os.minor(device)} / / rw,relatime - {system} server:/data rw\n"
    )
    return subprocess.run(
        [sys.executable, "-m", "bot", *command],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "LD_PRELOAD": str(preloaded("other_mounts.c", folder)),
            "OTHER_MOUNTS": str(mounts),
            "OPTIN_STORAGE": url_of(storage),
            **env,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )


def nearly_fill(path: Path) -> None:
    """Leaves 20 MB of the disk."""
    left = os.statvfs(path.parent)
    with path.open("wb") as file:
        for _ in range((left.f_bavail * left.f_frsize) // MEGABYTE - 20):
            file.write(bytes(MEGABYTE))
