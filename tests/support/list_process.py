"""Writes to SendGrid's lists, or reads them, from a process of its own, until it is killed.

    python tests/support/list_process.py JOB STORAGE_URL LISTS_URL OFFSET

JOB is `write` or `read`. Its clock goes OFFSET seconds ahead, so that the claims of a process that
was killed have expired. Writes a line when it begins; a reader also after each page, and at its end.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from handlers.suppression_lists.read_lists import ReadWatch, read_lists
from handlers.suppression_lists.write_worker import WriteWorker
from handlers.webhooks.providers.sendgrid.suppressions import SendgridLists
from tests.support.consent_fixtures import open_service_at
from tests.support.list_jobs import KEY, writing


class FewAtOnce(SendgridLists):
    """Adds with many calls what the real one adds with one, so that there are moments between."""

    most_added: ClassVar[int] = 7


def main(job: str, storage: str, lists_url: str, offset: str) -> None:
    ahead = timedelta(seconds=float(offset))
    service = writing(open_service_at(storage, lambda: datetime.now(UTC) + ahead))
    lists = FewAtOnce(api_key=KEY, api_url=lists_url)
    os.write(1, b"working\n")
    if job == "write":
        WriteWorker(service, {lists.name: lists}).work()
        return
    watch = ReadWatch(progress=lambda _: os.write(1, b"page\n"))
    read_lists(service, lists, token=str(os.getpid()), watch=watch)
    os.write(1, b"done\n")
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
