"""Idempotency keys: a request that is sent again gets its first answer, and changes nothing.

The answer is stored in the transaction that makes the change, so neither is there without the
other. https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

from bot.consent.errors import Invalid, NeedsEvidence, NotFound, OptinError, Refused
from bot.consent.parsing import blank
from bot.consent.records import KeyValue
from bot.consent.store import Records, Store
from bot.consent.use_cases.context import Service

#: How long an answer is kept.
KEEP_ANSWERS = timedelta(hours=24)
#: Characters of a key.
LONGEST_KEY = 255
_ANSWER = "idempotency:"


class KeyReused(Refused):
    """Another request had this Idempotency-Key. Use a new key for each request."""


class StillRunning(Refused):
    """The first request with this Idempotency-Key is still running. Try again in a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """An answer to a request, as it is kept."""

    status: int
    #: JSON.
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    #: The contacts that it is about, by id. Their erasure removes it.
    contacts: tuple[str, ...] = ()
    #: It was given before.
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OnceKey:
    """A request, and the key that its caller gave it."""

    #: The id of the caller's API key: others may use the same keys.
    caller: str
    key: str
    #: Of the method, the path and the body.
    fingerprint: str

    @classmethod
    def of(cls, caller: str, key: str, method: str, path: str, body: bytes) -> OnceKey:
        """Raises `Invalid` for a key that is empty or too long."""
        if blank(key) or len(key) > LONGEST_KEY:
            raise Invalid(
                f"An Idempotency-Key has from 1 to {LONGEST_KEY} characters.",
                field="Idempotency-Key",
            )
        whole = b"\0".join((method.encode(), path.encode("utf-8", "replace"), body))
        return cls(caller=caller, key=key, fingerprint=hashlib.sha256(whole).hexdigest())

    @property
    def name(self) -> str:
        """Under which the answer is kept. It does not hold the key itself."""
        digest = hashlib.sha256(self.key.encode("utf-8", "replace")).hexdigest()
        return f"{_ANSWER}{self.caller}:{digest}"

    def token(self, service: Service) -> str:
        """A secret that this request always gets, so that no kept answer has to hold it."""
        told = f"token:{self.name}:{self.fingerprint}".encode()
        return urlsafe_b64encode(hmac.digest(service.hash_key, told, "sha256")).decode().rstrip("=")


class IdempotentRequests:
    """The requests with a key that this process answers. Safe across threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[str] = set()

    def answer(
        self,
        service: Service,
        once: OnceKey,
        operation: Callable[[Service], KeptAnswer],
        refused: Callable[[OptinError], KeptAnswer],
    ) -> KeptAnswer:
        """The kept answer, or that of the operation, whose use case joins this transaction.

        `refused` makes an answer of what a rule refuses, which is kept, too; nothing else that is
        raised is kept. Raises `KeyReused`, `StillRunning`, and what the operation raises. Another
        replica with the same request waits for the one write lock, and then finds the answer.
        """
        with self._alone(once.name):
            try:
                with service.store.transaction() as records:
                    if (kept := _kept(records.key_value, once, service.now())) is not None:
                        return kept
                    answer = operation(joined(service, records))
                    _keep(records.key_value, once, answer, service.now())
                    return answer
            except (KeyReused, StillRunning, Invalid, NeedsEvidence):
                raise  # Once it is corrected, the same key may be used for it.
            except (Refused, NotFound) as refusal:
                # The transaction was undone, and nothing is changed by the same request again.
                answer = refused(refusal)
                with service.store.transaction() as records:
                    _keep(records.key_value, once, answer, service.now())
                return answer

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        with self._lock:
            if name in self._running:
                raise StillRunning
            self._running.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(name)


def joined(service: Service, records: Records) -> Service:
    """The service whose use cases are part of the transaction that is open."""
    return replace(service, store=cast("Store", _JoinedStore(records)))


def erase_answers(key_value: KeyValue, contacts: Collection[str]) -> None:
    """Removes the kept answers that are about these contacts."""
    for name, text in [*key_value.all()]:
        if name.startswith(_ANSWER) and not set(json.loads(text)["contacts"]).isdisjoint(contacts):
            key_value.put(name, None)


def sweep_answers(service: Service) -> int:
    """Removes the answers that are old; how many."""
    oldest = service.now() - KEEP_ANSWERS
    with service.store.reading() as records:
        old = [
            name
            for name, text in records.key_value.all()
            if name.startswith(_ANSWER) and datetime.fromisoformat(json.loads(text)["at"]) <= oldest
        ]
    if old:
        with service.store.transaction() as records:
            for name in old:
                records.key_value.put(name, None)
    return len(old)


def _kept(key_value: KeyValue, once: OnceKey, now: datetime) -> KeptAnswer | None:
    text = key_value.get(once.name)
    if text is None:
        return None
    kept = json.loads(text)
    if now - datetime.fromisoformat(kept.pop("at")) >= KEEP_ANSWERS:
        return None
    if kept.pop("fingerprint") != once.fingerprint:
        raise KeyReused
    return KeptAnswer(**{**kept, "contacts": tuple(kept["contacts"]), "replayed": True})


def _keep(key_value: KeyValue, once: OnceKey, answer: KeptAnswer, now: datetime) -> None:
    # What failed on our side has changed nothing: the next try may do better.
    if answer.status < 500:
        kept = asdict(answer) | {"fingerprint": once.fingerprint, "at": now.isoformat()}
        key_value.put(once.name, json.dumps(kept))


@dataclass(frozen=True, slots=True)
class _JoinedStore:
    """A store whose every transaction is part of the one that is open. Use cases ask no more."""

    records: Records

    @contextmanager
    def transaction(self) -> Iterator[Records]:
        yield self.records

    def reading(self) -> AbstractContextManager[Records]:
        return self.transaction()
