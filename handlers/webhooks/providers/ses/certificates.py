"""The certificates that Amazon signs with: pinned in a folder, else fetched from Amazon once."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from handlers.webhooks.provider import InvalidSignature, VerificationUnavailable
from handlers.webhooks.providers.ses.amazon import fetch

if TYPE_CHECKING:  # loaded where SES is on: it takes as long as all of a small command
    from cryptography.x509 import Certificate

#: After an address could not be had, until it is asked for again.
PAUSE = timedelta(seconds=10)
#: Addresses that are remembered. Those that were not used for longest go first.
_MOST = 32
_MOST_FAILED, _MOST_WANTED = 1024, 16_384
#: Seconds between two fetches in the background, so that junk can't have us call Amazon all day.
_SLOWLY = 0.5


class Certificates:
    """By their addresses. Safe across threads; one is fetched at a time.

    Anybody can name an address that Amazon does not have, in a message without a signature. After
    one that failed, others are fetched in the background, and their messages have to come again:
    so junk keeps no message waiting whose certificate is known. The address that most messages
    name is fetched first: junk with an address of its own each time never gets before Amazon's.
    """

    def __init__(
        self, folder: Path | None = None, *, fetch: Callable[[str], bytes] = fetch
    ) -> None:
        """The folder's certificates are each named as the last part of their address."""
        self._folder = folder
        self._fetch = fetch
        self._known: dict[str, Certificate] = {}
        self._fetching = Lock()
        #: Around what is below.
        self._lock = Lock()
        #: By address, until when it is left alone.
        self._failed: dict[str, datetime] = {}
        self._calm_from: datetime | None = None
        #: By address, how many messages named it, and when the last of them came.
        self._wanted: dict[str, tuple[int, datetime]] = {}
        self._fetcher: Thread | None = None

    def __call__(self, url: str, now: datetime) -> Certificate:
        """Raises `InvalidSignature` if there is no such certificate, and `VerificationUnavailable`
        if it can't be fetched now."""
        if known := self._remembered(url):
            return known
        if pinned := self._pinned(url):
            self._remember(url, pinned)
            return pinned
        with self._lock:
            if now < self._failed.get(url, now):
                raise VerificationUnavailable("Amazon's certificate could not be had a moment ago")
            if self._calm_from and now < self._calm_from:
                self._want(url, now)
                raise VerificationUnavailable("Amazon's certificate is being fetched")
        return self._fetched(url, now)

    def _remembered(self, url: str) -> Certificate | None:
        with self._lock:
            known = self._known.pop(url, None)
            if known is not None:
                self._known[url] = known
            return known

    def _remember(self, url: str, certificate: Certificate) -> None:
        with self._lock:
            self._known[url] = certificate
            _cut(self._known, _MOST)

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
        with self._fetching:
            if known := self._remembered(url):
                return known
            try:
                found = _read(self._fetch(url))
            except (InvalidSignature, VerificationUnavailable):
                with self._lock:
                    self._calm_from = self._failed[url] = now + PAUSE
                    _cut(self._failed, _MOST_FAILED)
                raise
            self._remember(url, found)
            return found

    def _want(self, url: str, now: datetime) -> None:
        count, _ = self._wanted.get(url, (0, now))
        self._wanted[url] = count + 1, now
        if len(self._wanted) > _MOST_WANTED:
            self._forget_most()
        if self._fetcher is None:
            self._fetcher = Thread(target=self._fetch_wanted, name="certificates", daemon=True)
            self._fetcher.start()

    def _forget_most(self) -> None:
        """Keeps the addresses that most messages named, of which Amazon's is one: it comes again
        and again, however much junk comes between."""
        by_count = sorted(self._wanted.items(), key=lambda item: item[1], reverse=True)
        self._wanted = dict(by_count[: _MOST_WANTED // 2])

    def _fetch_wanted(self) -> None:
        """Until none is wanted."""
        while True:
            with self._lock:
                if not self._wanted:
                    self._fetcher = None
                    return
                url = max(self._wanted, key=self._wanted.__getitem__)
                _, now = self._wanted.pop(url)
            with suppress(InvalidSignature, VerificationUnavailable):
                self._fetched(url, now)
            time.sleep(_SLOWLY)


def _cut(remembered: dict[str, Any], most: int) -> None:
    """Forgets the oldest where there are more."""
    if len(remembered) > most:
        del remembered[next(iter(remembered))]


def _read(pem: bytes) -> Certificate:
    from cryptography.x509 import load_pem_x509_certificate

    try:
        return load_pem_x509_certificate(pem)
    except ValueError:
        raise InvalidSignature("its certificate is none") from None
