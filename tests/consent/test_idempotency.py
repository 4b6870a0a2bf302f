"""An Idempotency-Key: the first answer again, kept with the change and for a day."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bot.consent.errors import (
    Invalid,
    NeedsEvidence,
    NotFound,
    OptinError,
    Refused,
    StorageFailed,
)
from bot.consent.use_cases import Service, erase
from bot.consent.use_cases.idempotency import (
    KEEP_ANSWERS,
    IdempotentRequests,
    KeptAnswer,
    KeyReused,
    OnceKey,
    StillRunning,
    sweep_answers,
)
from bot.runtime.clock import Stopped
from tests.support.cases_fixtures import HOUR
from tests.support.consent_fixtures import OPERATOR, told
from tests.support.stated_fixtures import say, stranger

BODY = b'{"status":"yes"}'
FIRST = OnceKey.of("newsletter", "key-1", "POST", "/contacts/1/consents", BODY)


@pytest.fixture
def requests() -> IdempotentRequests:
    return IdempotentRequests()


def answered(*contacts: str, status: int = 200, body: str = '{"n":1}') -> KeptAnswer:
    return KeptAnswer(status=status, body=body, contacts=contacts)


def refused(error: OptinError) -> KeptAnswer:
    return answered(status=409, body=error.sentence)


def counted(answers: list[KeptAnswer]) -> Callable[[Service], KeptAnswer]:
    """An operation that gives these answers, one after the other."""
    left = iter(answers)
    return lambda service: next(left)


def failing(error: Exception) -> Callable[[Service], KeptAnswer]:
    def fail(service: Service) -> KeptAnswer:
        raise error

    return fail


def kept(service: Service) -> dict[str, str]:
    with service.store.reading() as records:
        return {n: t for n, t in records.key_value.all() if n.startswith("idempotency:")}


def test_the_same_request_gets_the_first_answer(
    desk: Service, requests: IdempotentRequests
) -> None:
    operation = counted([answered("c1", status=202), answered()])
    first = requests.answer(desk, FIRST, operation, refused)
    second = requests.answer(desk, FIRST, operation, refused)

    assert not first.replayed
    assert second == replace(first, replayed=True)


def test_the_change_and_its_answer_are_one_transaction(
    desk: Service, requests: IdempotentRequests
) -> None:
    cleo = stranger(desk)

    def change(service: Service) -> KeptAnswer:
        say(service, cleo, "yes")
        raise StorageFailed

    before = told(desk)
    with pytest.raises(StorageFailed):
        requests.answer(desk, FIRST, change, refused)
    assert told(desk) == before
    assert kept(desk) == {}


def test_a_change_is_made_once(desk: Service, requests: IdempotentRequests) -> None:
    cleo = stranger(desk)

    def change(service: Service) -> KeptAnswer:
        say(service, cleo, "no")
        return answered(cleo.id)

    for _ in range(3):
        requests.answer(desk, FIRST, change, refused)
    assert [entry.after for entry in told(desk, cleo.id)] == ["added", "NO"]


@pytest.mark.parametrize(
    "other",
    [
        OnceKey.of("newsletter", "key-1", "POST", "/contacts/1/consents", b"{}"),
        OnceKey.of("newsletter", "key-1", "POST", "/contacts/2/consents", BODY),
        OnceKey.of("newsletter", "key-1", "PUT", "/contacts/1/consents", BODY),
    ],
)
def test_another_request_with_the_key_is_refused(
    desk: Service, requests: IdempotentRequests, other: OnceKey
) -> None:
    requests.answer(desk, FIRST, counted([answered()]), refused)

    with pytest.raises(KeyReused):
        requests.answer(desk, other, failing(AssertionError()), refused)


def test_another_program_may_use_the_same_key(desk: Service, requests: IdempotentRequests) -> None:
    other = OnceKey.of("shop", "key-1", "POST", "/contacts/1/consents", b"{}")
    requests.answer(desk, FIRST, counted([answered()]), refused)

    assert not requests.answer(desk, other, counted([answered()]), refused).replayed


def test_a_key_is_short_and_its_text_is_not_stored(
    desk: Service, requests: IdempotentRequests
) -> None:
    requests.answer(desk, FIRST, counted([answered()]), refused)
    longest = OnceKey.of("newsletter", "ana@example.com" + "x" * 240, "POST", "/", b"")
    requests.answer(desk, longest, counted([answered()]), refused)

    assert "ana@example.com" not in str(kept(desk))
    for key in ("", " ", "x" * 256):
        with pytest.raises(Invalid):
            OnceKey.of("newsletter", key, "POST", "/", b"")


@pytest.mark.parametrize("error", [Refused("No."), NotFound("Nobody.")])
def test_what_a_rule_refuses_is_answered_the_same_again(
    desk: Service, requests: IdempotentRequests, error: OptinError
) -> None:
    first = requests.answer(desk, FIRST, failing(error), refused)
    second = requests.answer(desk, FIRST, counted([answered()]), refused)

    assert (first.status, first.body) == (409, error.sentence)
    assert second == replace(first, replayed=True)


@pytest.mark.parametrize("error", [StorageFailed(), Invalid(), NeedsEvidence(), RuntimeError("?")])
def test_what_failed_or_was_unreadable_is_not_kept(
    desk: Service, requests: IdempotentRequests, error: Exception
) -> None:
    with pytest.raises(type(error)):
        requests.answer(desk, FIRST, failing(error), refused)

    assert requests.answer(desk, FIRST, counted([answered()]), refused) == answered()


def test_a_server_error_is_not_kept(desk: Service, requests: IdempotentRequests) -> None:
    operation = counted([answered(status=503), answered()])

    assert requests.answer(desk, FIRST, operation, refused).status == 503
    assert requests.answer(desk, FIRST, operation, refused).status == 200


def test_an_answer_is_kept_for_a_day(
    desk: Service, requests: IdempotentRequests, clock: Stopped
) -> None:
    operation = counted([answered(body="1"), answered(body="2")])
    requests.answer(desk, FIRST, operation, refused)
    clock.advance(KEEP_ANSWERS - HOUR)
    assert sweep_answers(desk) == 0
    assert requests.answer(desk, FIRST, operation, refused).body == "1"
    clock.advance(HOUR)

    assert requests.answer(desk, FIRST, operation, refused).body == "2"
    clock.advance(KEEP_ANSWERS)
    assert sweep_answers(desk) == 1
    assert kept(desk) == {}


def test_the_second_is_told_to_wait_while_the_first_runs(
    desk: Service, requests: IdempotentRequests
) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow(service: Service) -> KeptAnswer:
        started.set()
        assert go_on.wait(timeout=30)
        return answered()

    with ThreadPoolExecutor() as pool:
        first = pool.submit(requests.answer, desk, FIRST, slow, refused)
        assert started.wait(timeout=30)
        with pytest.raises(StillRunning):
            requests.answer(desk, FIRST, failing(AssertionError()), refused)
        go_on.set()

        assert not first.result(timeout=30).replayed
    assert requests.answer(desk, FIRST, failing(AssertionError()), refused).replayed


def test_many_threads_with_one_key_make_one_change(
    desk: Service, requests: IdempotentRequests
) -> None:
    """As on two replicas: each has requests of its own."""
    cleo = stranger(desk)
    others = IdempotentRequests()

    def change(service: Service) -> KeptAnswer:
        say(service, cleo, "yes")
        return answered(cleo.id)

    def send(n: int) -> str:
        try:
            answer = (requests, others)[n % 2].answer(desk, FIRST, change, refused)
        except StillRunning:
            return "running"
        return "replayed" if answer.replayed else "first"

    with ThreadPoolExecutor(max_workers=8) as pool:
        results = list(pool.map(send, range(24)))

    assert results.count("first") == 1
    assert [entry.after for entry in told(desk, cleo.id)] == ["added", "YES"]


def test_erasure_removes_the_answers_about_the_contact(
    desk: Service, requests: IdempotentRequests
) -> None:
    cleo, dan = stranger(desk), stranger(desk, "Dan", "+14155550156")
    other = replace(FIRST, key="key-2")
    requests.answer(desk, FIRST, counted([answered(cleo.id, body="Cleo")]), refused)
    requests.answer(desk, other, counted([answered(dan.id, body="Dan")]), refused)
    erase(desk, cleo.id, OPERATOR)

    assert len(kept(desk)) == 1
    assert "Cleo" not in str(kept(desk))


def test_a_request_has_one_token_that_nobody_else_can_compute(desk: Service) -> None:
    same = OnceKey.of("newsletter", "key-1", "POST", "/contacts/1/consents", BODY)
    others = [
        replace(FIRST, key="key-2").token(desk),
        replace(FIRST, caller="shop").token(desk),
        replace(FIRST, fingerprint="x").token(desk),
        FIRST.token(replace(desk, hash_key=b"another key")),
    ]

    assert same.token(desk) == FIRST.token(desk)
    assert len({*others, FIRST.token(desk)}) == 5
    assert len(FIRST.token(desk)) == 43
