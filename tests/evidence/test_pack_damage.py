"""Whatever a pack has become, verify.py says so in a sentence of ours: never in Python's words."""

from __future__ import annotations

import io
import json
import os
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.consent.model import Contact
from bot.consent.use_cases import Details, Service, add
from handlers.evidence_pack import pack_verifier
from handlers.evidence_pack.make_pack import make_pack
from tests.support.consent_fixtures import AGENT, MANAGER
from tests.support.evidence_fixtures import READER, pack_of, sealed_anew
from tests.support.take_fixtures import PHONE

_OURS = re.compile(r"DOES NOT HOLD: [^\n]+\.\n")
_PYTHONS = re.compile(
    r"Error|Errno|Exception|Traceback|NoneType|subscript|iterable|unhashable|attribute|operand"
    r"|codec|literal|magic|<class|<built|b'|0x|argument|zlib|encrypted|CRC"
)
#: Values of every kind that JSON has, and some that few programs bear.
_VALUES: list[Any] = [None, True, -1, 0, 10**30, 1e999, "", "x", "\ud800", [], [[]], {}, {"a": 1}]
_DEEP = b"[" * 100_000

Verify = Callable[[Path], None]


@pytest.fixture
def small(service: Service) -> Contact:
    add(service, Details(name="Bo", phone="+14155550122"), AGENT)
    return add(service, Details(name="Ana", phone=PHONE), AGENT)


@pytest.fixture
def files(service: Service, small: Contact) -> dict[str, bytes]:
    return pack_of(service, small)


@pytest.fixture
def folder(files: dict[str, bytes], tmp_path: Path) -> Path:
    """The pack, unpacked."""
    folder = tmp_path / "pack"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def refuses(capsys: pytest.CaptureFixture[str]) -> Verify:
    """verify.py finds something, and says what in one sentence of ours."""

    def run(place: Path) -> None:
        status = pack_verifier.main([str(place)])
        out, err = capsys.readouterr()
        assert (status, err) == (1, "")
        assert _OURS.search(out), out
        assert not _PYTHONS.search(out), out

    return run


def test_a_file_that_is_cut_at_any_byte(
    folder: Path, files: dict[str, bytes], refuses: Verify
) -> None:
    for name in sorted(set(files) - {"verify.py"}):
        content = files[name]
        for end in range(0, len(content), 1 if len(content) < 4_000 else 97):
            (folder / name).write_bytes(content[:end])
            refuses(folder)
        (folder / name).write_bytes(content)


def test_a_file_with_random_bytes_in_it(
    folder: Path, files: dict[str, bytes], refuses: Verify
) -> None:
    chance = random.Random(20261201)
    for name in sorted(set(files) - {"verify.py"}):
        for _ in range(100):
            content = bytearray(files[name])
            for at in chance.sample(range(len(content)), 3):
                content[at] ^= chance.randrange(1, 256)
            (folder / name).write_bytes(content)
            refuses(folder)
        (folder / name).write_bytes(files[name])


@pytest.mark.parametrize("content", [b"\xff\xfe", b"1" * 10**6, _DEEP, b'{"head":' * 50_000, b""])
def test_a_file_that_is_no_json(folder: Path, refuses: Verify, content: bytes) -> None:
    for path in folder.glob("*.json"):
        before = path.read_bytes()
        path.write_bytes(content)
        refuses(folder)
        path.write_bytes(before)


@pytest.mark.parametrize("name", ["manifest.json", "seal.json"])
def test_a_value_of_another_kind_in_a_file_that_no_hash_covers(
    folder: Path, files: dict[str, bytes], refuses: Verify, name: str
) -> None:
    for changed in _swapped(json.loads(files[name])):
        (folder / name).write_bytes(_as_json(changed))
        refuses(folder)


@pytest.mark.parametrize("name", ["entries.json", "proofs.json", "heads.json"])
def test_a_value_of_another_kind_although_every_hash_was_made_anew(
    service: Service, folder: Path, files: dict[str, bytes], refuses: Verify, name: str
) -> None:
    with service.store.reading() as records:
        hashes = [entry.hash for entry in reversed(records.log.entries(limit=100))]
    for changed in _swapped(json.loads(files[name])):
        forged = sealed_anew({**files, name: _as_json(changed)}, hashes)
        for each, content in forged.items():
            (folder / each).write_bytes(content)
        refuses(folder)


@pytest.mark.parametrize("kind", ["folder", "pipe", "dead link", "loop", "device"])
@pytest.mark.parametrize("name", ["manifest.json", "report.html"])
def test_something_else_in_place_of_a_file(
    folder: Path, refuses: Verify, kind: str, name: str
) -> None:
    path = folder / name
    path.unlink()
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "dead link":
            path.symlink_to("nowhere")
        case "loop":
            path.symlink_to(path)
        case "device":
            path.symlink_to("/dev/zero")

    refuses(folder)


def test_a_zip_that_is_cut_or_changed_anywhere(
    service: Service, small: Contact, tmp_path: Path, refuses: Verify
) -> None:
    content = make_pack(service, small.id, MANAGER, READER).content
    pack = tmp_path / "pack.zip"
    for end in range(0, len(content), 61):
        pack.write_bytes(content[:end])
        refuses(pack)


@pytest.mark.parametrize(
    ("at", "value"),
    [(8, 1), (10, 99), (6, 255)],
    ids=["encrypted", "packed in another way", "of a version to come"],
)
def test_a_zip_whose_files_are(
    service: Service, small: Contact, tmp_path: Path, refuses: Verify, at: int, value: int
) -> None:
    content = bytearray(make_pack(service, small.id, MANAGER, READER).content)
    place = content.find(b"PK\x01\x02")
    content[place + at] = value
    (tmp_path / "pack.zip").write_bytes(content)

    refuses(tmp_path / "pack.zip")


def test_a_zip_with_an_odd_name_in_it(
    files: dict[str, bytes], tmp_path: Path, refuses: Verify
) -> None:
    for name in ("manifest.json/", "../evil", "\x1b[2J.txt", "Everything holds.\n"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as pack:
            for each, content in {**files, name: b""}.items():
                pack.writestr(each, content)
        (tmp_path / "pack.zip").write_bytes(buffer.getvalue())
        refuses(tmp_path / "pack.zip")


def _swapped(document: Any) -> Iterator[Any]:
    """The document with each of its values replaced by another kind of value, or taken away."""
    for path in list(_paths(document)):
        before = document
        for key in path:
            before = before[key]
        for value in _VALUES:
            # An equal value of another type may be no change, as 1 and true in Python.
            if value != before or type(value) is not type(before):
                yield _with(document, path, value)
        if path:
            yield _with(document, path, None, gone=True)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _paths(one, (*path, key))


def _with(document: Any, path: tuple[Any, ...], value: Any, *, gone: bool = False) -> Any:
    if not path:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    if gone and len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = _with(copy[path[0]], path[1:], value, gone=gone)
    return copy


def _as_json(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
