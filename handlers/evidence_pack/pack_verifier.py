"""Check an evidence pack of Optin's, with nothing but Python (3.8 or newer) and no network.

    python verify.py                         in the folder of the unpacked files
    python verify.py PACK.zip                a pack as it came
    python verify.py PACK.zip --head FILE    compare with the heads that a witness kept

Exit status: 0 if everything holds, 1 if something does not, 2 if there is no pack to check.

How a change is found. Each entry of the Activity Log has a SHA-256 hash of its fields and of the
hash of the entry before it. All entry hashes are the leaves of one Merkle tree (RFC 6962), and
proofs.json shows that each entry of the pack is a leaf of the tree whose root heads.json names.
manifest.json has the SHA-256 of each of these files. The log itself has an entry with the SHA-256
of manifest.json: seal.json holds that entry, and shows that it is the newest leaf of the log, and
that the log before it is the one of heads.json. seal.json is the only file that no hash covers, and
each of its values is recomputed here.

A log may have lost its end, where somebody put an older copy of the storage back and accepted that.
An entry of the log says so, and every pack has it. Heads that were lost are in heads.json, and
count as lost only as far as that entry goes.

Somebody who makes every file anew can make a pack that holds by itself. A head that a witness kept
(a channel, a file, a time-stamp authority) can't be made anew: compare with it by --head.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict

#: What JSON has.
_Shape = Dict[str, Any]

MANIFEST, SEAL, ENTRIES, PROOFS, HEADS = (
    "manifest.json",
    "seal.json",
    "entries.json",
    "proofs.json",
    "heads.json",
)
#: This file, by the name that it has in a pack.
ITSELF = "verify.py"
#: The files whose SHA-256 manifest.json has.
LISTED = ("README.txt", ENTRIES, HEADS, PROOFS, "report.html")
NAMES = (*LISTED, MANIFEST, SEAL, ITSELF)

#: What the log calls the manifest's SHA-256.
MANIFEST_FIELD = "evidence_manifest"
#: What an entry has that says that somebody accepted a loss: the size and the hash of the largest
#: head that was lost, the first entry that is certainly lost, up to where the log agreed, and the
#: hashes of lost heads whose time is after the entry.
LOST_FIELD, FIRST_FIELD = "rollback_lost", "rollback_first"
KEPT_FIELD, LATE_FIELD = "rollback_kept", "rollback_late"
#: The fields of an entry in the order in which they are hashed, between the hash of the entry
#: before and the digest of what is personal.
_HASHED = (
    "seq",
    "id",
    "kind",
    "occurred_at",
    "recorded_at",
    "actor",
    "source",
    "contact",
    "version",
    "channel",
    "sender",
    "by",
    "before",
    "after",
    "expected",
    "provider_id",
)
#: What is personal, in the order of its digest. An erasure takes these away, and the salt.
_PERSONAL = ("address", "reason", "evidence", "evidence_at", "changes")
_ENTRY = {"previous", *_HASHED, *_PERSONAL, "answers", "salt", "digest", "hash"}
_HEAD = ("log", "size", "chain", "root", "at")
#: A head as witnesses have it.
_HEAD_TEXT = re.compile(
    "log: *([0-9a-f]{32})[^0-9a-z]+size: *([0-9]{1,18})[^0-9a-z]+chain: *([0-9a-f]{64})"
    r"[^0-9a-z]+root: *([0-9a-f]{64})[^0-9a-z]+at: *([0-9T:-]{19}Z)"
)
_TIME_TEXT = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
#: Bytes of a file that this reads at most: nobody's pack is as long.
_MOST = 2**30
#: Digits of a number: nobody's log is as long, and Python is slow with millions of digits.
_MOST_DIGITS = 18
#: What Python raises at values of another kind.
_OTHER_FORM = (
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
    OverflowError,
    MemoryError,
)


class DoesNotHold(Exception):
    """The first thing that is not as it must be."""


def check(files: dict[str, bytes], heads: list[list[_Shape]]) -> list[str]:
    """What was checked, in sentences. `heads` are those of each witness. Raises `DoesNotHold`."""
    _check_names(files)
    with _form_of(MANIFEST):
        manifest_hash = _check_manifest(files)
    said = [f"The {len(LISTED)} files that manifest.json lists have the SHA-256 that it gives."]
    with _form_of(HEADS):
        kept = _json(files, HEADS)
        head, published = _head(kept["head"]), kept["published"]
        lost = kept["lost"]
        if not isinstance(published, list) or not isinstance(lost, list):
            raise TypeError
    with _form_of(SEAL):
        sealed = _check_seal(_seal(files), manifest_hash, head)
    said.append(
        f"Entry {sealed['size']:,} of the log has the SHA-256 of manifest.json. It was made on "
        f"{sealed['at']}."
    )
    with _form_of(f"{ENTRIES} or {PROOFS}"):
        entries = _json(files, ENTRIES)
        said += _check_entries(entries, _json(files, PROOFS), head)
        losses = [_loss(entry) for entry in entries if _accepts_loss(entry)]
    with _form_of(HEADS):
        said += _check_published(published, head)
        said += _check_lost(lost, losses, head)
        known = [head, sealed, *(one["head"] for one in published)]
    said += [sentence for one in heads for sentence in _compare(one, known, losses)]
    return said


@contextmanager
def _form_of(name: str) -> Iterator[None]:
    """Say which file is not as Optin writes it, in place of Python's own words."""
    try:
        yield
    except _OTHER_FORM:
        raise DoesNotHold(f"{name} does not have the form that Optin writes.") from None


def _check_names(files: dict[str, bytes]) -> None:
    # Whoever checks may have verify.py from elsewhere.
    for name in sorted(set(NAMES) - set(files) - {ITSELF}):
        raise DoesNotHold(f"{name} is missing.")
    for name in sorted(set(files) - set(NAMES)):
        raise DoesNotHold(f"{name!r} is no file of a pack.")


def _check_manifest(files: dict[str, bytes]) -> str:
    manifest = _json(files, MANIFEST)
    if sorted(manifest["sha256"]) != sorted(LISTED):
        raise DoesNotHold("manifest.json does not list the files of a pack.")
    for name in LISTED:
        if hashlib.sha256(files[name]).hexdigest() != manifest["sha256"][name]:
            raise DoesNotHold(
                f"{name} is not as it was, or manifest.json is not: their SHA-256 differ."
            )
    return hashlib.sha256(files[MANIFEST]).hexdigest()


def _seal(files: dict[str, bytes]) -> _Shape:
    seal: _Shape = _json(files, SEAL)
    # Nothing else covers this file, so it has one form only.
    if (json.dumps(seal, ensure_ascii=False, indent=2) + "\n").encode() != files[SEAL]:
        raise DoesNotHold("seal.json is not as Optin wrote it.")
    if set(seal) != {"entry", "head", "inclusion", "consistency"}:
        raise DoesNotHold("seal.json does not have the fields of a seal.")
    return seal


def _check_seal(seal: _Shape, manifest_hash: str, before: _Shape) -> _Shape:
    entry, head = seal["entry"], _head(seal["head"])
    _check_entry(entry)
    if dict(entry["changes"]).get(MANIFEST_FIELD) != [None, manifest_hash]:
        raise DoesNotHold("manifest.json is not as it was: the log has another SHA-256 of it.")
    made = entry["recorded_at"][:19] + "Z"
    if (head["size"], head["chain"], head["at"]) != (entry["seq"], entry["hash"], made):
        raise DoesNotHold("The head of seal.json is not the one that its entry made.")
    if head["log"] != before["log"]:
        raise DoesNotHold("seal.json is of another log than heads.json.")
    _check_included(entry, seal["inclusion"], head)
    _check_consistent(before, head, seal["consistency"])
    return head


def _check_entries(entries: list[_Shape], proofs: list[_Shape], head: _Shape) -> Iterator[str]:
    if [entry["seq"] for entry in entries] != [proof["seq"] for proof in proofs]:
        raise DoesNotHold("proofs.json is not about the entries of entries.json.")
    newest = 0
    for entry, proof in zip(entries, proofs):  # noqa: B905 - Python 3.8; the lengths are equal
        _check_entry(entry)
        if entry["seq"] <= newest:
            raise DoesNotHold(f"Entry {entry['seq']:,} is in the wrong place.")
        newest = entry["seq"]
        if type(proof["index"]) is not int or proof["index"] != newest - 1:
            raise DoesNotHold(f"The proof of entry {newest:,} is one of another entry.")
        if newest == head["size"] and entry["hash"] != head["chain"]:
            raise DoesNotHold(f"Entry {newest:,} is not the one that the head names.")
        _check_included(entry, proof["proof"], head)
    erased = sum(not entry["salt"] for entry in entries)
    yield (
        f"{_entries(len(entries))} of the log of {_entries(head['size'])}, each "
        "with the hash that its fields give. Each one is in the log at the place that it names."
    )
    if erased:
        yield (
            f"Of these, {_entries(erased)} lost the personal part by an erasure. "
            "The rest of each, and its place in the log, hold."
        )


def _check_published(published: list[_Shape], head: _Shape) -> Iterator[str]:
    for one in published:
        earlier = _head(one["head"])
        if earlier["log"] != head["log"]:
            raise DoesNotHold(f"The head of {earlier['at']} is one of another log.")
        _check_consistent(earlier, head, one["consistency"])
        yield (
            f"The log only grew since the head of {_entries(earlier['size'])} that was published "
            f"on {earlier['at']}: nothing before it was changed."
        )


def _accepts_loss(entry: _Shape) -> bool:
    return (
        entry["kind"] == "note"
        and entry["contact"] is None
        and LOST_FIELD in dict(entry["changes"])
    )


def _loss(entry: _Shape) -> _Shape:
    """What the entry accepts as lost."""
    told = dict(entry["changes"])
    return {
        "seq": entry["seq"],
        "by": entry["actor"],
        "at": entry["recorded_at"][:19],
        "size": int(told[LOST_FIELD][0]),
        "first": int(told[FIRST_FIELD][1]),
        "kept": int(told[KEPT_FIELD][1]),
        "late": told[LATE_FIELD][1].split(),
    }


def _covers(loss: _Shape, head: _Shape, log: str) -> bool:
    """Whether the loss may be why the log does not have this head. All times are UTC in ISO 8601,
    so that the earlier one is the smaller text."""
    in_time = head["at"][:19] <= loss["at"] or head["chain"] in loss["late"]
    return loss["kept"] < head["size"] and in_time and (head["log"] == log or not loss["kept"])


def _check_lost(lost: list[_Shape], losses: list[_Shape], head: _Shape) -> Iterator[str]:
    by_entry = {loss["seq"]: loss for loss in losses}
    for one in lost:
        gone, loss = _head(one["head"]), by_entry.get(one["accepted"])
        if loss is None or not _covers(loss, gone, head["log"]):
            raise DoesNotHold(f"Nobody accepted that the head of {_entries(gone['size'])} is lost.")
    for loss in losses:
        first, last, kept = loss["first"], loss["size"], loss["kept"]
        heads = sum(one["accepted"] == loss["seq"] for one in lost)
        which = f"entry {last:,}" if first == last else f"entries {first:,} to {last:,}"
        yield (
            f"RECORDS WERE LOST: what the log had as {which}. Entry {loss['seq']:,} says that "
            f"{loss['by']} accepted that on {loss['at']}Z. "
            + (f"Up to entry {kept:,}" if kept else "At no earlier entry")
            + " the log agreed with what was remembered elsewhere. "
            f"{_count(heads, 'published head is', 'published heads are')} not in the log because "
            "of this."
        )


def _check_entry(entry: _Shape) -> None:
    """The hash of an entry, as bot/consent/log/chain.py of Optin makes it."""
    if set(entry) != _ENTRY:
        raise DoesNotHold(f"Entry {entry['seq']:,} does not have the fields of an entry.")
    seq = entry["seq"]
    if type(seq) is not int or seq < 1:
        raise DoesNotHold("An entry has no place in the log.")
    if entry["salt"]:
        digest = _sha256([entry["salt"], *(entry[name] for name in _PERSONAL)])
        if digest != entry["digest"]:
            raise DoesNotHold(f"Entry {seq:,} does not hold: its personal part was changed.")
    elif any(entry[name] for name in _PERSONAL):
        raise DoesNotHold(f"Entry {seq:,} was erased, and has a personal part all the same.")
    answers = [] if entry["answers"] is None else [entry["answers"]]
    fields = (entry[name] for name in _HASHED)
    if _sha256([entry["previous"], *fields, entry["digest"], *answers]) != entry["hash"]:
        raise DoesNotHold(f"Entry {seq:,} does not hold: it was changed.")


def _check_included(entry: _Shape, proof: list[str], head: _Shape) -> None:
    path = [_hash(one) for one in proof]
    leaf = hashlib.sha256(b"\0" + _hash(entry["hash"])).digest()
    if not included(leaf, entry["seq"] - 1, head["size"], path, _hash(head["root"])):
        raise DoesNotHold(f"Entry {entry['seq']:,} is not in the log of {_entries(head['size'])}.")


def _check_consistent(earlier: _Shape, later: _Shape, proof: list[str]) -> None:
    old, new, path = earlier["size"], later["size"], [_hash(one) for one in proof]
    if not consistent(old, new, _hash(earlier["root"]), _hash(later["root"]), path):
        raise DoesNotHold(
            f"The log of {_entries(new)} does not begin with the one of {_entries(old)}: something "
            "before was changed."
        )
    if old == new and earlier["chain"] != later["chain"]:
        raise DoesNotHold(f"Two heads of {_entries(old)} have different entries.")


def _compare(given: list[_Shape], known: list[_Shape], losses: list[_Shape]) -> Iterator[str]:
    """Compare the heads of a witness with those of the pack."""
    by_size = {head["size"]: head for head in known}
    log, same, lost = known[0]["log"], set(), 0
    for one in given:
        head = by_size.get(one["size"])
        if one["log"] == log and head and _is_same(head, one):
            same.add(one["size"])
        elif one["log"] == log and not head:
            continue  # the pack says nothing of it
        elif any(_covers(loss, one, log) for loss in losses):
            lost += 1
        elif one["log"] != log:
            raise DoesNotHold("The head of the witness is one of another log.")
        else:
            raise DoesNotHold(
                f"The witness has another head of {_entries(one['size'])} than the pack."
            )
    if not same:
        sizes = ", ".join(f"{size:,}" for size in sorted(by_size))
        raise DoesNotHold(
            "The pack says nothing of the witness's head. It can be compared with a head of "
            f"{sizes} entries."
        )
    if lost:
        which = _count(lost, "head of the witness is", "heads of the witness are")
        yield f"{which} of records that were lost."
    yield f"The witness has the same head of {_entries(max(same))} as the pack."


def _is_same(head: _Shape, other: _Shape) -> bool:
    return (head["chain"], head["root"]) == (other["chain"], other["root"])


def included(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    """Whether the leaf is at `index` of the tree with this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, here = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            here = _node(sibling, here)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            here = _node(here, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and here == root


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: list[bytes]) -> bool:
    """Whether the tree of `new` leaves begins with the one of `old` (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    if old & (old - 1) == 0:
        path = [old_root, *path]
    if not path:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            before, after = _node(sibling, before), _node(sibling, after)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            after = _node(after, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _sha256(values: list[object]) -> str:
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _hash(text: str) -> bytes:
    """32 bytes out of lower-case hexadecimal digits: each hash has one form only."""
    if not isinstance(text, str) or not re.fullmatch("[0-9a-f]{64}", text):
        raise DoesNotHold(f"{text!r} is no SHA-256.")
    return bytes.fromhex(text)


def _head(head: _Shape) -> _Shape:
    well = isinstance(head, dict) and tuple(head) == _HEAD and type(head["size"]) is int
    if not well or not _TIME_TEXT.fullmatch(head["at"]):
        raise DoesNotHold("A head does not have the fields of a head.")
    return head


def _json(files: dict[str, bytes], name: str) -> Any:
    try:
        return json.loads(files[name].decode("utf-8"), parse_int=_whole)
    except (ValueError, RecursionError):
        raise DoesNotHold(f"{name} is not JSON as Optin writes it.") from None


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError
    return int(digits)


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _entries(number: int) -> str:
    return _count(number, "entry", "entries")


def read_pack(place: Path) -> dict[str, bytes]:
    """The files of a pack, by name. What else is in a folder is none of the pack's; in a zip,
    nothing else may be. Raises `DoesNotHold`, and OSError."""
    if place.is_dir():
        found = (place / name for name in NAMES)
        return {path.name: _bytes(path) for path in found if path.exists()}
    return _unzipped(_bytes(place))


def _bytes(path: Path) -> bytes:
    """A folder, a pipe or a device in place of a file would raise, or never end."""
    if path.exists() and not path.is_file():
        raise DoesNotHold(f"{path.name} is no file.")
    if path.stat().st_size > _MOST:
        raise DoesNotHold(f"{path.name} is too large for a pack.")
    return path.read_bytes()


def _unzipped(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as pack:
            names = pack.namelist()
            if len(set(names)) != len(names):
                raise DoesNotHold("The zip has one of its files twice.")
            if sum(info.file_size for info in pack.infolist()) > _MOST:
                raise DoesNotHold("The zip is too large for a pack.")
            return {name: pack.read(name) for name in names}
    except DoesNotHold:
        raise
    except Exception:  # noqa: BLE001 - zipfile raises many kinds where a zip is damaged
        raise DoesNotHold("The zip is damaged, or it is no zip.") from None


def read_heads(text: str) -> list[_Shape]:
    """Every head in a text, as witnesses have them: a line for each part. What stands around them,
    as in a message, does not matter."""
    found = [dict(zip(_HEAD, parts)) for parts in _HEAD_TEXT.findall(text)]  # noqa: B905 - 3.8
    if not found:
        raise DoesNotHold("The file of the witness has no head of a log.")
    return [{**head, "size": int(head["size"])} for head in found]


def main(arguments: list[str]) -> int:
    """Check what the arguments name, and say so."""
    places, heads = [], []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if argument == "--head" and rest:
            heads.append(Path(rest.pop(0)))
        elif argument.startswith("-"):
            print(__doc__)
            return 0 if argument in ("-h", "--help") else 2
        else:
            places.append(Path(argument))
    if len(places) > 1:
        print("Name one pack.")
        return 2
    place = places[0] if places else Path(__file__).resolve().parent
    try:
        given = [read_heads(_bytes(path).decode("utf-8", "replace")) for path in heads]
        for sentence in check(read_pack(place), given):
            print(sentence)
    except OSError as error:
        print(f"{error.filename or place} can't be read: {error.strerror}.")
        return 2
    except DoesNotHold as problem:
        print(f"DOES NOT HOLD: {problem}")
        return 1
    print("Everything holds.")
    if not given:
        print("No head of a witness was given: see --head, and README.txt.")
    return 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(main(sys.argv[1:]))
