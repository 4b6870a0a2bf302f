"""A time-stamp authority as a witness (RFC 3161): it signs the hash of a head, with its time.

The authority keeps nothing, so Optin keeps each signed answer with its head: in the storage, and in
a file beside the settings, which does not go back when the storage does. An answer counts only if
its signature leads to a certificate that is trusted.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import warnings
from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from cryptography.x509 import Certificate, load_der_x509_certificate, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from bot.consent.errors import Invalid
from bot.consent.log.heads import LogHead, head_text, read_head_text
from bot.consent.use_cases import Service
from bot.consent.use_cases.signed_heads import newest_signed, remember_signed, signed_heads
from handlers.witnesses.witness import WitnessFailed, is_wanted

#: Seconds for the authority's answer, and the most bytes of one.
_PATIENCE, _LONGEST = 10.0, 100_000


class TimestampWitness:
    """See `witness.Witness`."""

    def __init__(
        self, service: Service, url: str, name: str, *, certificates: Path | None, file: Path
    ) -> None:
        """`certificates`: a PEM file of the authorities that are trusted, instead of those of this
        machine. `file` holds the signed answers."""
        self._service = service
        self._url = url
        self._certificates = certificates
        self._file = file
        self.name = name

    def publish(self, head: LogHead) -> None:
        text = head_text(head)
        request = (
            TimestampRequestBuilder()
            .data(text.encode())
            .hash_algorithm(HashAlgorithm.SHA256)
            .build()
        )
        answer = self._ask(request.as_bytes())
        self._verify(VerifierBuilder.from_request(request), answer, text)
        token = base64.b64encode(answer).decode()
        self._append({"witness": self.name, "head": text, "answer": token})
        remember_signed(self._service, self.name, head, token)

    def newest(self) -> LogHead | None:
        found = [newest_signed(self._service, self.name), *self._heads_of(self._in_file())]
        return max(filter(None, found), key=lambda head: head.at, default=None)

    def latest(self, log: str, elsewhere: Collection[str] = ()) -> LogHead | None:
        """The authority keeps nothing: the newest one of the file, which does not go back."""
        found = self._heads_of(self._in_file())[::-1]
        heads = (head for head in found if is_wanted(head.log, log, elsewhere))
        # Of two in the same second, the one that was given last.
        return max(heads, key=lambda head: head.at, default=None)

    def remembered(self) -> list[LogHead]:
        """Those whose answers hold, from the storage and the file. Raises `WitnessFailed` where an
        answer does not."""
        answers = {**signed_heads(self._service, self.name), **self._in_file()}
        for text, token in answers.items():
            self._verify(VerifierBuilder(), base64.b64decode(token), text)
        return sorted(self._heads_of(answers), key=lambda head: head.at)

    def _ask(self, request: bytes) -> bytes:
        asked = Request(  # noqa: S310 - the setting allows http and https
            self._url, request, {"Content-Type": "application/timestamp-query"}
        )
        try:
            with urlopen(asked, timeout=_PATIENCE) as answer:  # noqa: S310 - as above
                found: bytes = answer.read(_LONGEST)
        except URLError as error:
            raise WitnessFailed(f"{self._url} can't be reached: {error.reason}.") from None
        except OSError:
            raise WitnessFailed(f"{self._url} can't be reached.") from None
        return found

    def _verify(self, builder: VerifierBuilder, answer: bytes, text: str) -> None:
        for certificate in self._roots:
            builder = builder.add_root_certificate(certificate)
        try:
            decoded: TimeStampResponse = decode_timestamp_response(answer)
            builder.build().verify_message(decoded, text.encode())
        except (VerificationError, ValueError) as error:
            raise WitnessFailed(f"An answer of {self._url} does not hold: {error}.") from None

    @cached_property
    def _roots(self) -> list[Certificate]:
        try:
            if self._certificates is not None:
                found = load_pem_x509_certificates(self._certificates.read_bytes())
                return [*dict.fromkeys(found)]
        except (OSError, ValueError):
            raise WitnessFailed(
                f"{self._certificates} has no certificates. Check OPTIN_TIMESTAMP_CERTIFICATES."
            ) from None
        return _of_this_machine()

    def _append(self, record: dict[str, str]) -> None:
        """To the file, whose lines are records. Only the owner may read it."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            descriptor = os.open(self._file, flags, 0o600)
            try:
                os.write(descriptor, f"{json.dumps(record)}\n".encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise WitnessFailed(f"{self._file} can't be written: {error.strerror}.") from None

    def _in_file(self) -> dict[str, str]:
        """The answers of this witness in the file, by the texts of their heads."""
        try:
            lines = self._file.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError):
            raise WitnessFailed(f"{self._file} can't be read.") from None
        return {
            str(record["head"]): str(record["answer"])
            for record in _records(lines)
            if record.get("witness") == self.name
        }

    def _heads_of(self, answers: dict[str, str]) -> list[LogHead]:
        try:
            return [read_head_text(text) for text in answers]
        except Invalid:
            raise WitnessFailed(f"{self._file} has a damaged head of the log.") from None


def _of_this_machine() -> list[Certificate]:
    """The authorities that this machine trusts, without those that break a rule of RFC 5280."""
    found: list[Certificate] = []
    for encoded in dict.fromkeys(ssl.create_default_context().get_ca_certs(binary_form=True)):
        with warnings.catch_warnings(), suppress(ValueError, Warning):
            warnings.simplefilter("error")
            found.append(load_der_x509_certificate(encoded))
    return found


def _records(lines: list[str]) -> Iterator[dict[str, object]]:
    """Those of the lines that are whole: writing one may have been interrupted."""
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and {"witness", "head", "answer"} <= record.keys():
            yield record
