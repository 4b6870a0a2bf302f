"""A lost head whose time was ahead, because a clock was wrong: it counts as lost, and no later one
does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.consent.log.heads import LogHead, head_text
from handlers.evidence_pack import pack_shapes, pack_verifier
from tests.support.watched_storage import Watched, pack
from tests.support.watched_storage import rolled_back as rolled_back
from tests.support.watched_storage import watched as watched


@pytest.fixture
def ahead(rolled_back: Watched) -> LogHead:
    """A head that a clock ten years ahead dated, and whose loss was accepted with the others."""
    *_, last = rolled_back.heads()
    head = replace(last, size=last.size + 100, chain="a" * 64, at=last.at + timedelta(days=3650))
    with rolled_back.witness.open("a") as file:
        file.write("\n" + head_text(head))
    rolled_back.accept()
    return head


def test_head_of_a_later_time_is_lost_once_that_is_accepted(
    rolled_back: Watched, ahead: LogHead
) -> None:
    (loss,) = rolled_back.losses()
    done = rolled_back.compared()

    assert (loss.size, loss.late) == (ahead.size, {ahead.chain})
    assert (done.status, done.err) == (0, "")
    assert "3 heads, of entries" in done.out
    kept = [pack_shapes.head_shape(head) for head in rolled_back.heads()]
    assert pack_verifier.check(pack(rolled_back), [kept])


def test_head_that_is_published_after_the_acceptance_must_hold_all_the_same(
    rolled_back: Watched, ahead: LogHead
) -> None:
    put_back = rolled_back.copied()
    rolled_back.no()
    later = rolled_back.publish()
    assert later.size < ahead.size
    put_back()
    done = rolled_back.compared()

    assert done.status == 1
    assert f"remembers entry {later.size} of" in done.err
    assert f"The head of entry {later.size}, published on" in done.err
