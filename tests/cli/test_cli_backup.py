"""`optin backup` and `optin restore`: from every kind of storage into every other."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread

import pyrage  # type: ignore[import-untyped]  # it brings no types
import pytest

from bot.consent.errors import OptinError
from bot.consent.log.entries import EntryKind
from bot.consent.use_cases.backup import BackupContents, ErasedMeanwhile, back_up, restore_backup
from bot.consent.use_cases.copy_storage import is_half_a_copy
from bot.consent.use_cases.verify import verify_store
from storage import open_store
from tests.support.cli_fixtures import Cli, refused
from tests.support.storages import KINDS, path_in, url_of
from tests.support.store_fixtures import contact, entry, put
from tests.support.store_worker import bring_in, prepare
from tests.support.whole_storages import CONTACTS, everything, filled, with_one_of_each

ROOT = Path(__file__).resolve().parents[2]

Use = Callable[[str], None]


@pytest.fixture
def use(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Use:
    return lambda url: monkeypatch.setenv("OPTIN_STORAGE", url)


@pytest.fixture
def backed_up(cli: Cli, use: Use, tmp_path: Path) -> Path:
    """The backup of a small storage, which is the one in use."""
    use(url_of(path_in(tmp_path / "one", "sqlite")))
    filled(cli)
    file = tmp_path / "optin.gz"
    assert cli("backup", file).status == 0
    return file


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
def test_everything_comes_back_in_every_kind_of_storage(
    cli: Cli, use: Use, tmp_path: Path, source: str, target: str
) -> None:
    one, two = (url_of(path_in(tmp_path / n, kind)) for n, kind in (("1", source), ("2", target)))
    with closing(open_store(one)) as store:
        with_one_of_each(store)
    use(one)
    done = cli("backup", tmp_path / "optin.gz")
    assert (done.status, done.err) == (0, "")
    assert "11 log entries" in done.out

    restored = cli("restore", tmp_path / "optin.gz", "--to", two)
    assert (restored.status, restored.err) == (0, "")
    assert "Restored and verified" in restored.out
    head = done.out.split("hash is ")[1].split(".")[0]
    assert head in restored.out
    with closing(open_store(one)) as store, closing(open_store(two)) as other:
        assert everything(store) == everything(other)
        assert not is_half_a_copy(other)
    use(two)
    assert cli("verify").status == 0


def test_what_erased_people_refused_is_known_in_the_restored_storage(
    cli: Cli, use: Use, backed_up: Path, tmp_path: Path
) -> None:
    """The key of the hashes is in the backup."""
    for number, kind in enumerate(KINDS):
        url = url_of(path_in(tmp_path / f"r{number}", kind))
        assert cli("restore", backed_up, "--to", url).status == 0
        use(url)
        assert cli("import", cli.file(CONTACTS)).status == 0
        assert json.loads(cli("status", "bo@example.com", "--json").out)["sms"]["on"] == "NO"


def test_a_hash_key_of_the_settings_is_not_in_the_backup(
    cli: Cli, use: Use, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, file = "5" * 64, tmp_path / "optin.gz"
    monkeypatch.setenv("OPTIN_HASH_KEY", key)
    use(url_of(path_in(tmp_path / "one", "tinydb")))
    filled(cli)
    assert cli("backup", file).status == 0
    assert key.encode() not in gzip.decompress(file.read_bytes())

    to = url_of(path_in(tmp_path / "two", "sqlite"))
    monkeypatch.delenv("OPTIN_HASH_KEY")
    assert "OPTIN_HASH_KEY was set" in refused(cli("restore", file, "--to", to), 2)
    monkeypatch.setenv("OPTIN_HASH_KEY", key)
    assert cli("restore", file, "--to", to).status == 0


def test_another_hash_key_than_that_of_the_backup_is_refused(
    cli: Cli, backed_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTIN_HASH_KEY", "6" * 64)
    to = url_of(path_in(tmp_path / "two", "sqlite"))
    assert "another key" in refused(cli("restore", backed_up, "--to", to), 2)


def test_a_file_that_is_there_already_is_left_alone(cli: Cli, backed_up: Path) -> None:
    before = backed_up.read_bytes()
    assert "is there already" in refused(cli("backup", backed_up), 2)
    assert backed_up.read_bytes() == before
    assert backed_up.stat().st_mode & 0o777 == 0o600
    assert not list(backed_up.parent.glob("*.part"))


def test_a_folder_that_is_not_there_says_so(cli: Cli, backed_up: Path, tmp_path: Path) -> None:
    done = cli("backup", tmp_path / "nowhere" / "optin.gz")
    assert "can't be written (No such file or directory)" in refused(done)
    missing = cli("restore", tmp_path / "missing.gz", "--to", f"sqlite:///{tmp_path}/x.db")
    assert "can't be read (No such file or directory)" in refused(missing)


def test_a_storage_that_is_not_empty_is_refused_and_left_alone(
    cli: Cli, use: Use, backed_up: Path
) -> None:
    before = cli.exported()
    own = url_of(path_in(backed_up.parent / "one", "sqlite"))

    assert "The storage to restore to is not empty." in refused(
        cli("restore", backed_up, "--to", own)
    )
    assert cli.exported() == before


def test_a_backup_that_was_cut_off_anywhere_is_refused_before_anything_is_written(
    cli: Cli, backed_up: Path, tmp_path: Path
) -> None:
    whole, cut = backed_up.read_bytes(), tmp_path / "cut.gz"
    for size in (0, 5, 40, len(whole) // 2, len(whole) - 9, len(whole) - 1):
        cut.write_bytes(whole[:size])
        done = cli("restore", cut, "--to", f"sqlite:///{tmp_path}/x.db")
        assert ("cut off" in refused(done)) or (size == 0 and "no backup" in done.err), size
    assert not (tmp_path / "x.db").exists()


def test_a_backup_without_its_last_lines_is_refused(
    cli: Cli, backed_up: Path, tmp_path: Path
) -> None:
    lines, cut = gzip.decompress(backed_up.read_bytes()).splitlines(keepends=True), tmp_path / "cut"
    to = f"sqlite:///{tmp_path}/x.db"
    cut.write_bytes(gzip.compress(b"".join(lines[:-1])))
    assert "cut off" in refused(cli("restore", cut, "--to", to))
    cut.write_bytes(gzip.compress(b"".join(lines[:5] + lines[6:])))
    assert "damaged" in refused(cli("restore", cut, "--to", to))
    cut.write_bytes(gzip.compress(b"".join([*lines, lines[-2]])))
    assert "damaged" in refused(cli("restore", cut, "--to", to))
    cut.write_bytes(gzip.compress(lines[0].replace(b'"format":1', b'"format":2')))
    assert "newer Optin" in refused(cli("restore", cut, "--to", to))
    cut.write_bytes(b"name,phone\n")
    assert "no backup of Optin" in refused(cli("restore", cut, "--to", to))


def test_every_damaged_byte_of_a_backup_is_noticed(
    cli: Cli, backed_up: Path, tmp_path: Path
) -> None:
    whole, wrong = backed_up.read_bytes(), tmp_path / "wrong.gz"
    to = f"sqlite:///{tmp_path}/x.db"
    # The gzip header has bytes that mean nothing: time and system.
    for place in range(10, len(whole), 37):
        damaged = bytearray(whole)
        damaged[place] ^= 0x20
        wrong.write_bytes(damaged)
        done = cli("restore", wrong, "--to", to)
        assert done.status == 1, place
        assert "Traceback" not in done.err
    assert not (tmp_path / "x.db").exists()


class Broken(Exception):
    """The restore ends here."""


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_interrupted_is_done_by_the_same_again(tmp_path: Path, kind: str) -> None:
    with closing(open_store(f"tinydb:///{tmp_path}/optin.json")) as source:
        for batch in range(3):
            bring_in(source, f"c{batch}", 1000)
        with_one_of_each(source)
        values: list[tuple[str, object]] = []
        copied = back_up(source, lambda seq, head: lambda key, value: values.append((key, value)))
        counts = {key: sum(1 for k, _ in values if k == key) for key, _ in values}
        contents = BackupContents(id="a", seq=copied.entries, head=copied.head, counts=counts)
        url = url_of(path_in(tmp_path / "two", kind))
        for last in ("log entries", "contacts", "marks", "Verifying"):

            def stop(what: str, done: int, total: int | None, last: str = last) -> None:
                if what.endswith(last):
                    raise Broken

            with closing(open_store(url)) as target:
                with pytest.raises(Broken):
                    restore_backup(values, contents, target, progress=stop)
                assert is_half_a_copy(target)
        with closing(open_store(url)) as target:
            other = BackupContents(id="b", seq=1, head="", counts={})
            with pytest.raises(OptinError, match="half of another backup"):
                restore_backup(values, other, target)
            restore_backup(values, contents, target)
            assert everything(source) == everything(target)


def test_whoever_is_erased_while_a_backup_is_made_is_not_in_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/optin.db"
    with closing(open_store(url)) as store, closing(open_store(url)) as beside:
        prepare(store)

        def erased(seq: int, head: str) -> Callable[[str, object], None]:
            put(beside, entry("gone", kind=EntryKind.ERASED, contact="shared1", address=None))
            return lambda key, value: None

        with pytest.raises(ErasedMeanwhile):
            back_up(store, erased)


@contextmanager
def flood(url: str) -> Iterator[Queue[tuple[int, str]]]:
    """Another process that writes all the time; `seq` and hash of what it was told is stored."""
    worker = subprocess.Popen(
        [sys.executable, "tests/support/store_worker.py", url, "w", "7", "2", "100000"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        text=True,
    )
    stored: Queue[tuple[int, str]] = Queue()

    def read() -> None:
        for line in worker.stdout or ():
            if len(told := line.split()) == 2:
                stored.put((int(told[0]), told[1]))

    reader = Thread(target=read)
    reader.start()
    try:
        yield stored
    finally:
        worker.kill()
        reader.join()
        worker.communicate()


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_in_the_middle_of_a_flood_is_one_whole_state(
    cli: Cli, use: Use, tmp_path: Path, kind: str
) -> None:
    url, file = url_of(path_in(tmp_path / "one", kind)), tmp_path / "optin.gz"
    with closing(open_store(url)) as store:
        prepare(store)
        for batch in range(4):
            bring_in(store, f"b{batch}", 1000)
    use(url)
    with flood(url) as stored:
        before = [stored.get(timeout=60) for _ in range(20)]
        done = cli("backup", file)
        assert done.status == 0, done.err
        meanwhile = [stored.get() for _ in range(stored.qsize())]
        stored.get(timeout=60)

    to = url_of(path_in(tmp_path / "two", "sqlite"))
    assert cli("restore", file, "--to", to).status == 0
    with closing(open_store(to)) as restored:
        assert verify_store(restored).problem is None
        with restored.reading() as records:
            hashes = {entry.seq: entry.hash for entry in records.log.all()}
    # What was stored before the backup began is in it. The flood did not wait for it to end.
    assert all(hashes[seq] == hash for seq, hash in before)
    assert all(hashes.get(seq, hash) == hash for seq, hash in meanwhile)
    assert max(seq for seq, _ in meanwhile) > max(hashes)


def test_half_a_copy_is_not_backed_up(cli: Cli, use: Use, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/half.db"
    with closing(open_store(url)) as store:
        put(store, contact())
        with store.transaction() as records:
            records.key_value.put("copying", "1 x")
    use(url)
    assert "half a copy" in refused(cli("backup", tmp_path / "optin.gz"), 2)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, Path]:
    """A recipient, and the file of its identity as `age-keygen` writes it."""
    identity = pyrage.x25519.Identity.generate()
    file = tmp_path / "key.txt"
    file.write_text(f"# public key: {identity.to_public()}\n{identity}\n")
    return str(identity.to_public()), file


def test_a_backup_for_a_recipient_is_read_with_their_identity_alone(
    cli: Cli, use: Use, keys: tuple[str, Path], tmp_path: Path
) -> None:
    recipient, identity = keys
    one, two = (url_of(path_in(tmp_path / n, "sqlite")) for n in ("one", "two"))
    with closing(open_store(one)) as store:
        with_one_of_each(store)
        bring_in(store, "more", 3_000)
    use(one)
    file, other = tmp_path / "optin.gz.age", tmp_path / "other.txt"
    done = cli("backup", file, "--recipient", recipient)
    assert done.status == 0, done.err
    assert file.read_bytes().startswith(b"age-encryption.org/v1")

    assert "The backup is encrypted." in refused(cli("restore", file, "--to", two), 2)
    other.write_text(str(pyrage.x25519.Identity.generate()))
    wrong = cli("restore", file, "--to", two, "--identity", other)
    assert "can't be decrypted" in refused(wrong)
    assert cli("restore", file, "--to", two, "--identity", identity).status == 0
    with closing(open_store(one)) as store, closing(open_store(two)) as restored:
        assert everything(store) == everything(restored)


def test_a_damaged_or_cut_encrypted_backup_is_refused(
    cli: Cli, backed_up: Path, keys: tuple[str, Path], tmp_path: Path
) -> None:
    recipient, identity = keys
    file, wrong = tmp_path / "optin.age", tmp_path / "wrong.age"
    assert cli("backup", file, "--recipient", recipient).status == 0
    whole = file.read_bytes()
    for place in (30, len(whole) // 2, len(whole) - 1):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        for content in (bytes(damaged), whole[:place]):
            wrong.write_bytes(content)
            done = cli(
                "restore", wrong, "--to", f"sqlite:///{tmp_path}/x.db", "--identity", identity
            )
            assert done.status == 1, place
            assert "can't be decrypted" in refused(done)
    assert not (tmp_path / "x.db").exists()


def test_a_backup_with_a_passphrase(
    cli: Cli, backed_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, to = tmp_path / "optin.age", f"sqlite:///{tmp_path}/x.db"
    monkeypatch.setenv("OPTIN_BACKUP_PASSPHRASE", "correct horse battery staple")
    assert cli("backup", file).status == 0
    assert file.read_bytes().startswith(b"age-encryption.org/v1")
    monkeypatch.setenv("OPTIN_BACKUP_PASSPHRASE", "another one")
    assert "can't be decrypted" in refused(cli("restore", file, "--to", to))
    monkeypatch.setenv("OPTIN_BACKUP_PASSPHRASE", "correct horse battery staple")
    assert cli("restore", file, "--to", to).status == 0


def test_what_is_no_recipient_and_no_identity_says_so(
    cli: Cli, backed_up: Path, keys: tuple[str, Path], tmp_path: Path
) -> None:
    file, to = tmp_path / "optin.age", f"sqlite:///{tmp_path}/x.db"
    assert "begins with age1" in refused(cli("backup", file, "--recipient", "ana@example.com"))
    assert not file.exists()
    assert not list(tmp_path.glob("*.part"))
    assert cli("backup", file, "--recipient", keys[0]).status == 0
    unread = refused(cli("restore", file, "--to", to, "--identity", file), 2)
    assert "can't be read as an identity file" in unread
    empty = tmp_path / "empty.txt"
    empty.write_text("# nothing\n")
    said = refused(cli("restore", file, "--to", to, "--identity", empty), 2)
    assert "holds no key that begins with AGE-SECRET-KEY-1" in said
    empty.write_text("ssh-ed25519 AAAA\n")
    assert "AGE-SECRET-KEY-1" in refused(cli("restore", file, "--to", to, "--identity", empty))
