"""`optin copy`: the same storage elsewhere, whatever kind it is of."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.consent.errors import OptinError, Refused
from bot.consent.model import Channel
from bot.consent.store import Store
from bot.consent.use_cases.copy_storage import copy, is_half_a_copy
from storage import open_store
from tests.support.cli_fixtures import Cli
from tests.support.forked_commands import ForkedCommand
from tests.support.storages import path_in, url_of
from tests.support.store_fixtures import contact, entry, put, write_back
from tests.support.store_worker import bring_in, flip, prepare
from tests.support.whole_storages import CONTACTS, alert, everything, filled, with_one_of_each


@pytest.fixture
def use(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda url: monkeypatch.setenv("OPTIN_STORAGE", url)


def test_from_one_kind_to_the_next_and_back_gives_the_same_export(
    cli: Cli, use: Callable[[str], None], tmp_path: Path
) -> None:
    first = url_of(path_in(tmp_path / "first", "tinydb"))
    use(first)
    filled(cli)
    exported, log = cli("export", "--format", "json").out, cli("activity", "--json").out
    head = cli("verify").out
    for number, kind in enumerate(("sqlite", "postgresql", "tinydb")):
        url = url_of(path_in(tmp_path / f"{number}", kind))
        done = cli("copy", "--to", url)

        assert (done.status, done.err) == (0, "")
        assert "2 contacts" in done.out
        assert ":@" not in done.out
        use(url)
        assert cli("export", "--format", "json").out == exported
        assert cli("activity", "--json").out == log
        assert cli("verify").out == head
    use(first)
    assert cli("export", "--format", "json").out == exported


def test_what_erased_people_refused_is_known_in_the_new_storage(
    cli: Cli, use: Callable[[str], None], tmp_path: Path
) -> None:
    """The key of the hashes goes along."""
    use(url_of(path_in(tmp_path, "tinydb")))
    filled(cli)
    for number, kind in enumerate(("postgresql", "sqlite")):
        url = url_of(path_in(tmp_path / f"{number}", kind))
        assert cli("copy", "--to", url).status == 0
        use(url)
    assert cli("import", cli.file(CONTACTS)).status == 0

    found = json.loads(cli("status", "bo@example.com", "--json").out)
    assert found["sms"]["on"] == "NO"


@pytest.mark.parametrize("source", ["tinydb", "sqlite", "postgresql"])
@pytest.mark.parametrize("target", ["tinydb", "sqlite", "postgresql"])
def test_everything_is_the_same_in_the_new_storage(
    tmp_path: Path, source: str, target: str
) -> None:
    with (
        closing(open_store(url_of(path_in(tmp_path / "one", source)))) as one,
        closing(open_store(url_of(path_in(tmp_path / "two", target)))) as other,
    ):
        with_one_of_each(one)
        copied = copy(one, other)

        assert everything(one) == everything(other)
        assert copied.entries == 11
        with one.reading() as records, other.reading() as new:
            assert records.log.head() == new.log.head() == (11, copied.head)
            assert new.outbox.newest_for("k") == records.outbox.newest_for("k")
            assert new.events.seen("twilio:\ud800")
            assert new.cases.open_for("c1", Channel.SMS) == records.cases.open_for(
                "c1", Channel.SMS
            )
        flip(other, "shared1", "f2")


class Broken(Exception):
    """The copy ends here."""


@pytest.mark.parametrize("kind", ["tinydb", "sqlite", "postgresql"])
def test_what_was_interrupted_is_done_by_the_same_again(tmp_path: Path, kind: str) -> None:
    url = url_of(path_in(tmp_path / "two", kind))
    with closing(open_store(f"tinydb:///{tmp_path}/optin.json")) as source:
        for batch in range(5):
            bring_in(source, f"c{batch}", 1000)
        with_one_of_each(source)
        for last in ("log entries", "contacts", "marks", "Verifying"):

            def stop(what: str, done: int, total: int | None, last: str = last) -> None:
                if what.endswith(last):
                    raise Broken

            with closing(open_store(url)) as target:
                with pytest.raises(Broken):
                    copy(source, target, progress=stop)
                assert is_half_a_copy(target)
        # Told meanwhile, and settled: no entry of the log.
        with source.transaction() as records:
            records.outbox.remove("z")
            records.outbox.put(alert("new"))
            records.write_backs.remove(write_back().id)
        with closing(open_store(url)) as target:
            copy(source, target)

            assert everything(source) == everything(target)
            assert not is_half_a_copy(target)


def test_a_storage_that_is_not_empty_is_refused_and_left_alone(
    cli: Cli, use: Callable[[str], None], tmp_path: Path
) -> None:
    use(url_of(path_in(tmp_path / "one", "sqlite")))
    filled(cli)
    other = url_of(path_in(tmp_path / "two", "sqlite"))
    use(other)
    assert cli("contact", "add", "--name", "Di", "--phone", "+14155550199").status == 0
    before = cli.exported()
    use(url_of(path_in(tmp_path / "one", "sqlite")))
    done = cli("copy", "--to", other)

    assert done.status == 1
    assert "not empty" in done.err
    use(other)
    assert cli.exported() == before


def test_half_a_copy_serves_nobody_and_is_not_mistaken_for_another(
    cli: Cli, use: Callable[[str], None], tmp_path: Path
) -> None:
    half, one, another = (url_of(path_in(tmp_path / n, "sqlite")) for n in ("half", "a", "b"))

    def stop(what: str, done: int, total: int | None) -> None:
        raise Broken

    with closing(open_store(one)) as source, closing(open_store(half)) as target:
        put(source, contact(), entry("e1"))
        with pytest.raises(Broken):
            copy(source, target, progress=stop)
    use(half)

    assert cli("status", "Ana").status == 2
    assert "half a copy" in cli("export").err
    with closing(open_store(another)) as source, closing(open_store(half)) as target:
        put(source, contact("c7"))
        with pytest.raises(Refused, match="half a copy of something else"):
            copy(source, target)


def test_a_storage_that_is_written_to_meanwhile_is_noticed(tmp_path: Path) -> None:
    url = url_of(path_in(tmp_path / "one", "sqlite"))
    with (
        closing(open_store(url)) as source,
        closing(open_store(url)) as beside,
        closing(open_store(url_of(path_in(tmp_path / "two", "sqlite")))) as target,
    ):
        prepare(source)

        def write(what: str, done: int, total: int | None) -> None:
            if what == "Copying contacts":
                flip(beside, "shared1", "f1")

        with pytest.raises(OptinError, match="Stop Optin"):
            copy(source, target, progress=write)
        assert is_half_a_copy(target)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_half_way_it_can_be_run_again(
    cli: Cli, use: Callable[[str], None], tmp_path: Path, kind: str
) -> None:
    url = url_of(path_in(tmp_path / "one", "tinydb"))
    target = url_of(path_in(tmp_path / "two", kind))
    with closing(open_store(url)) as source:
        for batch in range(10):
            bring_in(source, f"c{batch}", 1000)
    use(url)
    with (
        ForkedCommand(["copy", "--to", target], folder=tmp_path, env=os.environ) as running,
        closing(open_store(target)) as other,
    ):
        while not _any(other):
            assert running.poll() is None
        running.send_signal(signal.SIGKILL)
        running.wait()
        assert is_half_a_copy(other)
        with closing(open_store(url)) as source:
            copy(source, other, but=["hash-key"])

            assert everything(source) == everything(other)


def _any(store: Store) -> bool:
    with store.reading() as records:
        return records.contacts.count() > 0


def test_a_copy_to_itself_or_to_nowhere_is_wrong_usage(
    cli: Cli, use: Callable[[str], None], tmp_path: Path
) -> None:
    url = f"tinydb:///{tmp_path}/optin.json"
    use(url)

    assert cli("copy", "--to", url).status == 2
    assert cli("copy", "--to", "mysql://x/y").status == 2
    assert cli("copy").status == 2
