"""Making, listing and revoking keys of the API. All keys are one text of `records.key_value`."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bot.consent.api_key import PREFIX, ApiKey, Scope
from bot.consent.errors import Invalid, NotFound, Refused
from bot.consent.frozen import replace
from bot.consent.log.changes import Noted
from bot.consent.model import Actor
from bot.consent.parsing import blank, storable
from bot.consent.permissions import Action, authorize
from bot.consent.records import KeyValue
from bot.consent.store import Records
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.record import Recorder
from bot.consent.use_cases.webhooks.edit_webhooks import pause_webhooks_of

#: The name of all keys, and how the names of their last uses begin.
_KEYS, _USED = "api_keys", "api_key_used:"
_LONGEST_NAME = 80


def add_key(
    service: Service,
    name: str,
    scopes: Collection[Scope],
    actor: Actor,
    *,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Makes a key. Returns it with its text, which nobody can find out later.

    Raises `Invalid` with the `field` that is wrong, and `Refused` where the name is taken.
    """
    authorize(actor, Action.KEYS)
    name, now = storable(name).strip(), service.now()
    if blank(name) or len(name) > _LONGEST_NAME:
        raise Invalid(
            f"Name the program that uses the key, in {_LONGEST_NAME} characters at most.",
            field="name",
        )
    if not scopes:
        raise Invalid("Say what the key may do: give at least one scope.", field="scopes")
    if expires_at is not None and expires_at <= now:
        raise Invalid("The key would have expired already.", field="expires")
    text = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        id=secrets.token_hex(6),
        name=name,
        hash=hashed_key(text),
        scopes=tuple(scope for scope in Scope if scope in scopes),
        created_at=now,
        created_by=actor.id,
        expires_at=expires_at,
    )
    with service.store.transaction() as records:
        keys = _read(records.key_value)
        if any(other.name == name and other.revoked_at is None for other in keys):
            raise Refused(f"There is a key {name} already.", field="name")
        _write(records.key_value, [*keys, key])
        _log(service, records, actor, f"API key {name} was made: {', '.join(key.scopes)}")
    return key, text


def list_keys(service: Service) -> Sequence[ApiKey]:
    """All keys, revoked ones too, the oldest first."""
    with service.store.reading() as records:
        return _read(records.key_value)


def revoke_key(service: Service, name: str, actor: Actor) -> ApiKey:
    """Revokes a key by its name or id, for good, and pauses the webhooks that it made. Raises
    `NotFound`."""
    authorize(actor, Action.KEYS)
    with service.store.transaction() as records:
        keys = _read(records.key_value)
        key = next((k for k in keys if name in (k.id, k.name) and k.revoked_at is None), None)
        if key is None:
            raise NotFound(f"There is no key {name} in use. `optin key list` names them.")
        revoked = replace(key, revoked_at=service.now())
        _write(records.key_value, [revoked if k is key else k for k in keys])
        pause_webhooks_of(records, f"api:{key.id}")
        _log(service, records, actor, f"API key {key.name} was revoked")
    return revoked


def hashed_key(text: str) -> str:
    """What is stored instead of a key's text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def last_uses(service: Service, keys: Sequence[ApiKey]) -> Mapping[str, datetime]:
    """When each of the keys was used last, by id, to the minute."""
    with service.store.reading() as records:
        found = {key.id: records.key_value.get(_USED + key.id) for key in keys}
    return {id: datetime.fromisoformat(at) for id, at in found.items() if at}


def note_uses(service: Service, uses: Mapping[str, datetime]) -> None:
    """Stores when keys were used last, by id."""
    with service.store.transaction() as records:
        for id, at in uses.items():
            records.key_value.put(_USED + id, at.isoformat())


def _log(service: Service, records: Records, actor: Actor, said: str) -> None:
    Recorder(
        service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
    ).record(None, Noted(reason=said))


def _read(key_value: KeyValue) -> list[ApiKey]:
    return [_key(fields) for fields in json.loads(key_value.get(_KEYS) or "[]")]


def _key(fields: dict[str, Any]) -> ApiKey:
    for name in ("created_at", "expires_at", "revoked_at"):
        fields[name] = datetime.fromisoformat(fields[name]) if fields[name] else None
    fields["scopes"] = tuple(Scope(scope) for scope in fields["scopes"])
    return ApiKey(**fields)


def _write(key_value: KeyValue, keys: Sequence[ApiKey]) -> None:
    key_value.put(_KEYS, json.dumps([asdict(key) for key in keys], default=datetime.isoformat))
