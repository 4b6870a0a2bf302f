"""`optin serve` with an older copy of its storage: it is noticed before the first green answer."""

from __future__ import annotations

import pytest

from tests.support.rollback_fixtures import ANA, BO, ServedPlace
from tests.support.serving import deliver
from tests.support.stale_copies import (
    RECOVERABLE,
    Way,
    lost_tail,
    older_backup,
    older_file,
    restored_backup,
    vanished,
)
from tests.support.stale_databases import (
    lost_rows,
    older_dump,
    older_template,
    recovered_to_a_place,
    recovered_to_a_time,
)
from tests.support.storages import KINDS

#: By kind of storage.
WAYS: dict[str, tuple[Way, ...]] = {
    "tinydb": (older_file, older_backup, restored_backup, lost_tail, vanished),
    "sqlite": (older_file, older_backup, restored_backup, lost_tail, vanished),
    "postgresql": (older_template, older_dump, restored_backup, lost_rows),
    RECOVERABLE: (recovered_to_a_time, recovered_to_a_place),
}
STALE = [
    pytest.param(kind, way, id=f"{kind}-{way.__name__}")
    for kind in (*KINDS, *([RECOVERABLE] if "postgresql" in KINDS else []))
    for way in WAYS[kind]
]


@pytest.mark.parametrize(("served_place", "way"), STALE, indirect=["served_place"])
def test_an_older_copy_is_noticed_before_the_first_green_answer(
    served_place: ServedPlace, way: Way
) -> None:
    place = served_place
    with place.serving():
        put_back = way(place.storage)
        assert place.answer(BO) == ("yes", [])
        assert deliver(place.port, "SM1", BO)
        assert place.answer(BO)[0] == "no"
    put_back()
    alone = "vanished" in way.__name__  # then there are no contacts, and no key of the API

    with place.serving():
        if not alone:
            assert place.answer(BO) == ("unverified", ["storage_behind"])
            assert place.answer(ANA) == ("unverified", ["storage_behind"])
        status, said = place.ask("GET", "/readyz")
        assert (status, said) == (503, "not ready: storage_behind")
        assert deliver(place.port, "SM2", ANA)
        if not alone:
            assert place.answer(ANA)[0] == "no"
        place.until(lambda: place.told("Optin works with old records"))
        code, _, err = place.optin("verify")
        assert (code, "lost its end" in err) == (1, True)

        code, out, err = place.optin("verify", "--accept-rollback")
        assert (code, err.count("\n") <= 1, "Accepted: optin.heads" in out) == (0, True, True)
        place.until(lambda: place.ask("GET", "/readyz")[0] == 200)
        if not alone:
            # It is lost, as the operator said.
            assert place.answer(BO) == ("yes", [])
        place.until(lambda: place.told("accepted that newer records are lost"))
    assert place.optin("verify")[0] == 0
