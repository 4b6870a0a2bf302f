"""An evidence pack holds what the log has, and holds on a machine with nothing but Python."""

from __future__ import annotations

import ast
import json
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.consent.errors import NotAllowed, NotFound, Refused
from bot.consent.log.entries import PACK_MANIFEST
from bot.consent.log.heads import head_text
from bot.consent.model import Contact
from bot.consent.use_cases import Details, Service, add, edit, erase, merge, profile, verify
from bot.consent.use_cases.evidence import collect_evidence, seal_evidence
from bot.consent.use_cases.ingest import ingest
from bot.consent.use_cases.log_tree import present_head
from bot.runtime.clock import Stopped
from handlers.evidence_pack import pack_shapes, pack_verifier
from handlers.evidence_pack.make_pack import make_pack, zipped
from handlers.evidence_pack.pack_witnesses import publish_head
from handlers.witnesses.file_witness import FileWitness
from handlers.witnesses.publish_heads import HeadPublisher
from tests.support.consent_fixtures import AGENT, MANAGER, NOBODY, OPERATOR, stop, told
from tests.support.evidence_fixtures import READER, pack_of, problem, run_alone, unpacked
from tests.support.take_fixtures import MAILBOX, OTHER_PHONE, PHONE, text


def entries_of(files: dict[str, bytes]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(files["entries.json"])
    return found


@pytest.mark.every_storage
def test_a_pack_verifies_in_an_empty_folder_with_python_alone(
    service: Service, person: Contact, tmp_path: Path
):
    content = make_pack(service, person.id, MANAGER, READER).content
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "pack.zip").write_bytes(content)
    (folder / "verify.py").write_bytes(unpacked(content)["verify.py"])

    status, said = run_alone(folder / "verify.py", "pack.zip")
    assert (status, said.splitlines()[-2]) == (0, "Everything holds.")

    for name, file in unpacked(content).items():
        (folder / name).write_bytes(file)
    assert run_alone(folder / "verify.py")[0] == 0
    assert verify(service).problem is None


def test_a_pack_has_every_entry_of_the_contact_as_it_was_written(service: Service, person: Contact):
    entries = entries_of(pack_of(service, person))

    logged = told(service, person.id)[:-1]  # the last one says that the pack was made
    assert [(entry["seq"], entry["hash"]) for entry in entries] == [(e.seq, e.hash) for e in logged]
    assert [entry["reason"] for entry in entries] == [entry.reason for entry in logged]


def test_the_log_says_who_made_a_pack_and_has_its_manifest(service: Service, person: Contact):
    before = profile(service, person.id, AGENT)
    files = pack_of(service, person)

    newest = told(service, person.id)[-1]
    assert newest.actor == MANAGER.id
    assert newest.reason == "An evidence pack was made"
    assert newest.changes is not None
    sealed = json.loads(files["seal.json"])["entry"]
    assert sealed["changes"] == [[PACK_MANIFEST, list(newest.changes[PACK_MANIFEST])]]
    assert sealed["hash"] == newest.hash
    after = profile(service, person.id, AGENT)
    assert (after.contact, after.last) == (before.contact, before.last)


def test_a_pack_made_while_others_write_holds(service: Service, person: Contact):
    evidence = collect_evidence(service, person.id, MANAGER)
    for number in range(5):
        add(service, Details(name=f"Bo {number}", phone=OTHER_PHONE), AGENT)

    seal = seal_evidence(service, evidence, "0" * 64, MANAGER)

    assert seal.head.size == evidence.head.size + 6
    assert seal.head.chain == seal.entry.entry.hash


def test_a_pack_in_a_log_of_many_entries_holds(service: Service, person: Contact):
    for number in range(700):
        stop(service, f"+1415555{number:04}")
    first = pack_of(service, person)
    stop(service, OTHER_PHONE)
    second = pack_of(service, person)

    assert [problem(files) for files in (first, second)] == [None, None]


@pytest.mark.parametrize("actor", [AGENT, NOBODY])
def test_only_managers_and_the_command_line_make_packs(
    service: Service, person: Contact, actor: Any
):
    with pytest.raises(NotAllowed):
        make_pack(service, person.id, actor, READER)
    evidence = collect_evidence(service, person.id, MANAGER)
    with pytest.raises(NotAllowed):
        seal_evidence(service, evidence, "0" * 64, actor)

    assert PACK_MANIFEST not in (told(service, person.id)[-1].changes or {})
    assert make_pack(service, person.id, OPERATOR, READER)


def test_a_contact_who_is_erased_meanwhile_leaves_in_no_pack(service: Service, person: Contact):
    evidence = collect_evidence(service, person.id, MANAGER)
    erase(service, person.id, OPERATOR)

    with pytest.raises(NotFound):
        seal_evidence(service, evidence, "0" * 64, MANAGER)


def test_a_pack_of_an_erased_person_holds_and_names_no_address(
    service: Service, person: Contact, clock: Stopped
):
    ingest(service, [text("STOP", occurred_at=clock())])
    erase(service, person.id, OPERATOR)
    files = pack_of(service, person)

    assert problem(files) is None
    everything = b"".join(files.values()).lower()
    for personal in ("Ana ", "Gómez", PHONE, "415-555-0100", MAILBOX, "She asked", "“STOP”"):
        assert personal.lower().encode() not in everything
    entries = entries_of(files)
    assert sum(entry["salt"] == "" for entry in entries) >= 9
    kept = [entry for entry in entries if (entry["address"] or "").startswith("hash:")]
    assert [e["reason"] for e in kept if e["kind"] == "consent"] == ["Refused before erasure"]
    assert verify(service).problem is None
    report = files["report.html"].decode()
    assert "This person was erased on 7 November 2026" in report
    assert "kept under a keyed hash" in report


def test_a_redacted_entry_that_is_filled_in_again_does_not_hold(service: Service, person: Contact):
    erase(service, person.id, OPERATOR)
    files = pack_of(service, person)
    entries = entries_of(files)
    entries[1]["reason"] = "The person agreed"

    proofs, head = json.loads(files["proofs.json"]), json.loads(files["heads.json"])["head"]
    with pytest.raises(pack_verifier.DoesNotHold, match="personal part all the same"):
        list(pack_verifier._check_entries(entries, proofs, head))


def test_a_pack_has_the_opt_out_that_came_with_the_address(service: Service, clock: Stopped):
    earlier = add(service, Details(name="Bo Hall", phone=PHONE), AGENT)
    ingest(service, [text("STOP", occurred_at=clock())])
    edit(service, earlier.id, Details(name="Bo Hall", phone=OTHER_PHONE), AGENT)
    clock.advance(timedelta(days=2))
    ana = add(service, Details(name="Ana Gómez", phone=PHONE), AGENT)
    files = pack_of(service, ana)

    assert problem(files) is None
    assert "Bo Hall" not in b"".join(files.values()).decode()
    assert "Replied “STOP”" in files["report.html"].decode()


def test_a_pack_of_a_merged_contact_has_both_histories(service: Service, person: Contact):
    other = add(service, Details(name="A. Gómez", phone=OTHER_PHONE), AGENT)
    stop(service, OTHER_PHONE)
    kept = merge(service, person.id, other.id, MANAGER)
    files = pack_of(service, kept)

    assert problem(files) is None
    assert {entry["contact"] for entry in entries_of(files)} == {person.id, other.id}


def test_the_head_of_a_witness_is_compared(service: Service, person: Contact, tmp_path: Path):
    with service.store.reading() as records:
        present = present_head(records, service.now())
    content = make_pack(service, person.id, MANAGER, READER).content
    program = tmp_path / "verify.py"
    program.write_bytes(unpacked(content)["verify.py"])
    pack = tmp_path / "pack.zip"
    pack.write_bytes(content)
    same, other, later = tmp_path / "same", tmp_path / "other", tmp_path / "later"
    same.write_text(f"In the channel:\n```{head_text(present)}```\n", encoding="utf-8")
    other.write_text(head_text(replace(present, root="0" * 64)), encoding="utf-8")
    later.write_text(head_text(replace(present, size=present.size + 9)), encoding="utf-8")

    status, said = run_alone(program, pack, "--head", same)
    assert (status, "the same head" in said) == (0, True)
    status, said = run_alone(program, pack, "--head", other)
    assert (status, "The witness has another head" in said) == (1, True)
    status, said = run_alone(program, pack, "--head", later)
    assert (status, "says nothing of the witness's head" in said) == (1, True)


def test_verify_says_what_it_wants_where_it_has_no_pack(tmp_path: Path):
    program = tmp_path / "verify.py"
    program.write_bytes(Path(pack_verifier.__file__).read_bytes())

    assert run_alone(program) == (1, "DOES NOT HOLD: README.txt is missing.\n")
    assert run_alone(program, "nothing.zip")[0] == 2
    assert run_alone(program, "--help")[0] == 0
    (tmp_path / "torn.zip").write_bytes(b"PK\3\4")
    assert run_alone(program, "torn.zip")[0] == 1


def test_verify_needs_only_the_standard_library_and_python_3_8():
    source = Path(pack_verifier.__file__).read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 8))

    found = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [a.name for node in found if isinstance(node, ast.Import) for a in node.names]
    names += [str(node.module) for node in found if isinstance(node, ast.ImportFrom)]
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
    assert not {"socket", "urllib", "http", "ssl", "subprocess"} & set(names)
    later = ("removeprefix(", "removesuffix(", "strict=", "datetime.UTC")
    assert not [word for word in later if word in source]


def test_equal_files_make_equal_zips(service: Service, person: Contact):
    files = pack_of(service, person)

    assert zipped(files, service.now()) == zipped(dict(reversed(files.items())), service.now())


def witness_file(folder: Path) -> FileWitness:
    return FileWitness(folder / "log-heads.txt", "file:///elsewhere/log-heads.txt")


def test_a_pack_has_the_heads_of_the_witnesses(
    service: Service, person: Contact, clock: Stopped, tmp_path: Path
):
    witness = witness_file(tmp_path)
    for number in range(3):
        clock.advance(timedelta(days=1))
        HeadPublisher(service, [witness]).publish_now()
        add(service, Details(name=f"Bo {number}", phone=OTHER_PHONE), AGENT)
    files = unpacked(make_pack(service, person.id, MANAGER, READER, [witness]).content)

    published = json.loads(files["heads.json"])["published"]
    assert problem(files) is None
    assert [one["head"] for one in published] == [
        pack_shapes.head_shape(head) for head in witness.remembered()
    ]
    assert {name for one in published for name in one["witnesses"]} == {witness.name}


def test_the_head_of_a_pack_goes_to_the_witnesses_who_vouch_for_it(
    service: Service, person: Contact, tmp_path: Path
):
    witness = witness_file(tmp_path)
    pack = make_pack(service, person.id, MANAGER, READER, [witness])
    assert publish_head([witness], pack.head) == ([witness.name], [])
    (tmp_path / "pack.zip").write_bytes(pack.content)
    program = tmp_path / "verify.py"
    program.write_bytes(unpacked(pack.content)["verify.py"])

    status, said = run_alone(program, "pack.zip", "--head", tmp_path / "log-heads.txt")

    assert status == 0
    assert f"The witness has the same head of {pack.head.size} entries as the pack." in said


def test_no_pack_is_made_of_a_log_that_a_witness_contradicts(
    service: Service, person: Contact, tmp_path: Path
):
    witness = witness_file(tmp_path)
    with service.store.reading() as records:
        present = present_head(records, service.now())
    witness.publish(replace(present, chain="0" * 64))

    with pytest.raises(Refused, match="The log proves nothing until somebody has found out why"):
        make_pack(service, person.id, MANAGER, READER, [witness])

    assert PACK_MANIFEST not in (told(service, person.id)[-1].changes or {})


def test_a_witness_that_fails_holds_up_no_pack(service: Service, person: Contact, tmp_path: Path):
    witness = FileWitness(tmp_path / "nowhere" / "log-heads.txt", "file:///nowhere/log-heads.txt")
    pack = make_pack(service, person.id, MANAGER, READER, [witness])

    done, failed = publish_head([witness], pack.head)

    assert problem(unpacked(pack.content)) is None
    assert (done, len(failed)) == ([], 1)
    assert "does not have the head of this pack" in failed[0]
