"""Fixtures for every test, each kind in a module of its own."""

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine makes any example slow.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

# Looking for garbage takes a fifth of the time in which modules load and tests are collected, and
# there is none. Python looks again, at what is new alone, once the tests run.
gc.disable()

# The tests start hundreds of Pythons, and pytest rewrites each test module. Without the cache, each
# of them compiles the rooms again. The subprocesses inherit the environment.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Temporary folders are in memory where there is room, which makes fsync free. A process that is
# killed leaves the same behind there as on a disk.
_MEMORY = Path("/dev/shm")
if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > 2**31:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

from tests.support.storages import forget_all  # noqa: E402 - so that its modules are cached

pytest_plugins = [
    "tests.support.browser_fixtures",
    "tests.support.cli_fixtures",
    "tests.support.consent_fixtures",
    "tests.support.api_fixtures",
    "tests.support.slack_fixtures",
    "tests.support.store_fixtures",
    "tests.support.take_fixtures",
    "tests.support.tinydb_fixtures",
    "tests.support.alerts_fixtures",
    "tests.support.cases_fixtures",
    "tests.support.list_fixtures",
    "tests.support.reports_fixtures",
    "tests.support.rollback_fixtures",
    "tests.support.outbound_fixtures",
    "tests.support.list_clients_fixtures",
    "tests.support.list_jobs",
    "tests.support.evidence_fixtures",
]


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def no_database_is_left() -> Iterator[None]:
    """Whatever a test was given a database for."""
    yield
    forget_all()
