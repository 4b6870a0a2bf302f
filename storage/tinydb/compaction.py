"""A new snapshot in the background, so that the journal stays short."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from bot.consent.errors import StorageFailed
from storage import files
from storage.files import try_lock
from storage.tinydb import snapshot
from storage.tinydb.journal import Journal, Title, generations, path_of
from storage.tinydb.state import SHORT, State

logger = logging.getLogger(__name__)

#: Seconds to wait for another process that compacts.
_PATIENCE = 60.0


class Compaction:
    """`alone` gives the state without any other thread or process, and without anything that is
    not on the disk; `give_up` is called when a sync has failed."""

    def __init__(
        self,
        state: State,
        alone: Callable[[], AbstractContextManager[None]],
        give_up: Callable[[], None],
    ) -> None:
        self._state = state
        self._alone = alone
        self._give_up = give_up
        self._draft = state.path.with_name(f"{state.path.name}.new")
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def start(self) -> None:
        """Starts one in the background, unless one runs."""
        with self._starting:
            if self._stopped:
                return
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self.run, name="optin-compaction", daemon=True
                )
                self._thread.start()

    def stop(self) -> None:
        """Waits for one that runs, and starts no more."""
        with self._starting:
            self._stopped = True
        if self._thread is not None:
            self._thread.join()

    def run(self, *, wait: bool = False) -> None:
        """Compacts, unless another process does. With `wait`, after that one."""
        with self._warning(), self._drafting(_PATIENCE if wait else 0.0) as draft:
            if draft is not None:
                self._compact(draft)

    def clean(self) -> None:
        """Takes away what a kill in the middle of a compaction left behind."""
        path = self._state.path
        if not self._draft.exists() and generations(path) == [self._state.journal.generation]:
            return
        with self._warning(), self._drafting(0.0) as draft:
            if draft is not None:
                self._remove_below(snapshot.title(path).generation)

    @contextmanager
    def _warning(self) -> Iterator[None]:
        try:
            yield
        except (OSError, StorageFailed) as error:
            self._state.not_below = self._state.journal.end + SHORT
            if isinstance(error, files.SyncFailed):
                self._give_up()
            logger.warning("The journal could not be compacted and grows on: %s", error)

    def _compact(self, draft: int) -> None:
        state = self._state
        with self._alone():
            title = Title(store=state.store, generation=state.journal.generation + 1)
        journal = Journal.create(state.path, title)
        with self._alone():
            # What is redacted from here on is not in the snapshot: whoever does it compacts again.
            redacted, state.redacted = state.redacted, False
            try:
                head, newest, documents = state.rotate(journal)
            except BaseException:
                state.redacted = redacted
                raise
        try:
            schema = state.schema
            size = snapshot.write(draft, title, head, newest, documents, schema=schema)
            state.log.sync()
            self._draft.replace(state.path)
            files.sync_folder(state.path.parent)
        except BaseException:
            state.redacted = state.redacted or redacted
            raise
        state.snapshot_size = size
        state.not_below = 0
        self._remove_below(title.generation)

    def _remove_below(self, generation: int) -> None:
        for old in generations(self._state.path):
            if old < generation:
                path_of(self._state.path, old).unlink(missing_ok=True)

    @contextmanager
    def _drafting(self, patience: float) -> Iterator[int | None]:
        """The file for the next snapshot, empty; none while another process writes it. Its lock is
        what makes one process at a time compact."""
        deadline = time.monotonic() + patience
        while (draft := _locked(self._draft)) is None:
            if time.monotonic() > deadline:
                yield None
                return
            time.sleep(0.01)
        try:
            yield draft
        finally:
            with suppress(FileNotFoundError):
                if self._draft.stat().st_ino == os.fstat(draft).st_ino:
                    self._draft.unlink()
            os.close(draft)


def _locked(path: Path) -> int | None:
    """The file, locked and empty. None if it is locked, or was just put in place as snapshot."""
    descriptor = files.open_file(path, os.O_CREAT)
    try:
        if try_lock(descriptor) and path.stat().st_ino == os.fstat(descriptor).st_ino:
            os.ftruncate(descriptor, 0)
            return descriptor
    except FileNotFoundError:
        pass
    os.close(descriptor)
    return None
