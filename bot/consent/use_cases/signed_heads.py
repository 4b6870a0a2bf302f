"""The answers that time-stamp authorities gave for heads of the log, as the storage keeps them."""

from __future__ import annotations

import hashlib
import json

from bot.consent.log.heads import LogHead, head_text, read_head_text
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.key_values import read_value, read_values


def remember_signed(service: Service, witness: str, head: LogHead, answer: str) -> None:
    """Stores the answer, in Base64. `witness` is its name. Raises `StorageFailed`."""
    text, name = head_text(head), _name(witness)
    with service.store.transaction() as records:
        kept = json.dumps({"head": text, "answer": answer})
        records.key_value.put(f"{name}:{head.size:018d}:{head.chain[:16]}", kept)
        records.key_value.put(name, text)


def newest_signed(service: Service, witness: str) -> LogHead | None:
    """The head that was signed last; None where none was."""
    text = read_value(service, _name(witness))
    return read_head_text(text) if text else None


def signed_heads(service: Service, witness: str) -> dict[str, str]:
    """The answers by the texts of their heads."""
    kept = map(json.loads, read_values(service, f"{_name(witness)}:").values())
    return {str(one["head"]): str(one["answer"]) for one in kept}


def _name(witness: str) -> str:
    return f"log-head:signed:{hashlib.sha256(witness.encode()).hexdigest()[:16]}"
