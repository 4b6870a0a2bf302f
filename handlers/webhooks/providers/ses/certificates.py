"""The certificates that Amazon signs with: pinned in a folder, else fetched from Amazon once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from cryptography.x509 import Certificate, load_pem_x509_certificate

from handlers.webhooks.provider import InvalidSignature, VerificationUnavailable
from handlers.webhooks.providers.ses.amazon import fetch

#: Between two attempts that failed, so that junk can't have us call Amazon all day.
PAUSE = timedelta(seconds=10)
_MOST = 32


class Certificates:
    """By their addresses. Safe across threads; one is fetched at a time."""

    def __init__(
        self, folder: Path | None = None, *, fetch: Callable[[str], bytes] = fetch
    ) -> None:
        """The folder's certificates are each named as the last part of their address."""
        self._folder = folder
        self._fetch = fetch
        self._known: dict[str, Certificate] = {}
        self._resting_until: datetime | None = None
        self._lock = Lock()

    def __call__(self, url: str, now: datetime) -> Certificate:
        """Raises `InvalidSignature` if there is no such certificate, and `VerificationUnavailable`
        if it can't be fetched now."""
        if known := self._known.get(url):
            return known
        with self._lock:
            if known := self._known.get(url):
                return known
            found = self._pinned(url) or self._fetched(url, now)
            if len(self._known) < _MOST:
                self._known[url] = found
            return found

    def _pinned(self, url: str) -> Certificate | None:
        if self._folder is None:
            return None
        try:
            pem = (self._folder / url.rpartition("/")[2]).read_bytes()
        except FileNotFoundError:
            return None
        except OSError:
            raise VerificationUnavailable("the pinned certificate can't be read") from None
        return _read(pem)

    def _fetched(self, url: str, now: datetime) -> Certificate:
        if self._resting_until and now < self._resting_until:
            raise VerificationUnavailable("Amazon's certificate could not be had a moment ago")
        try:
            return _read(self._fetch(url))
        except (InvalidSignature, VerificationUnavailable):
            self._resting_until = now + PAUSE
            raise


def _read(pem: bytes) -> Certificate:
    try:
        return load_pem_x509_certificate(pem)
    except ValueError:
        raise InvalidSignature("its certificate is none") from None
