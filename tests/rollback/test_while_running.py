"""A storage that goes back, or loses its files, under a bot that runs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.rollback_fixtures import ANA, BO, ServedPlace
from tests.support.serving import deliver
from tests.support.stale_copies import RECOVERABLE, Way
from tests.support.stale_databases import lost_rows, older_template, recovered_to_a_time
from tests.support.storages import KINDS

WHILE_RUNNING = [
    pytest.param(kind, way, id=way.__name__)
    for kind, way in (
        ("postgresql", older_template),
        ("postgresql", lost_rows),
        (RECOVERABLE, recovered_to_a_time),
    )
    if "postgresql" in KINDS
]


@pytest.mark.parametrize(("served_place", "way"), WHILE_RUNNING, indirect=["served_place"])
def test_a_database_that_goes_back_under_a_running_bot_is_noticed_by_the_next_answer(
    served_place: ServedPlace, way: Way
) -> None:
    place = served_place
    with place.serving():
        put_back = way(place.storage)
        assert deliver(place.port, "SM1", BO)
        assert place.answer(BO)[0] == "no"
        put_back()

        assert place.answer(BO) == ("unverified", ["storage_behind"])
        assert place.answer(ANA) == ("unverified", ["storage_behind"])
        assert place.ask("GET", "/readyz") == (503, "not ready: storage_behind")
        assert deliver(place.port, "SM2", ANA)
        assert place.answer(ANA)[0] == "no"


def removed(file: Path) -> None:
    file.unlink()


def emptied(file: Path) -> None:
    os.truncate(file, 0)


def replaced(file: Path) -> None:
    copy = file.with_name("copy")
    shutil.copyfile(file, copy)
    copy.replace(file)


#: By kind of storage, what its files end with.
FILES = {"tinydb": ("", ".log", ".journal.0"), "sqlite": ("", "-wal", "-shm")}
HARMED = [
    pytest.param(kind, ending, harm, id=f"{kind}{ending}-{harm.__name__}")
    for kind in FILES
    if kind in KINDS
    for ending in FILES[kind]
    for harm in (removed, emptied, replaced)
    if (ending, harm) != ("-shm", emptied)  # SQLite ends the process itself (SIGBUS)
]


@pytest.mark.parametrize(("served_place", "ending", "harm"), HARMED, indirect=["served_place"])
def test_no_acknowledged_opt_out_is_lost_with_a_file(
    served_place: ServedPlace, ending: str, harm: Callable[[Path], None]
) -> None:
    place = served_place
    file = place.storage.path.with_name(place.storage.path.name + ending)
    with place.serving():
        assert deliver(place.port, "SM0", ANA)
        harm(file)
        answers = [deliver(place.port, f"SM{number}", BO) for number in range(1, 7)]
    code, out, err = place.optin("status", BO, "--json")

    kept = code == 0 and json.loads(out)["sms"]["on"] == "NO"
    assert kept or not any(answers), err
