"""Fixtures for every test, each kind in a module of its own."""

from collections.abc import Iterator

import pytest

from tests.storages import forget_all

pytest_plugins = [
    "tests.browser_fixtures",
    "tests.cli_fixtures",
    "tests.consent_fixtures",
    "tests.slack_fixtures",
    "tests.store_fixtures",
    "tests.take_fixtures",
    "tests.tinydb_fixtures",
    "tests.alerts_fixtures",
    "tests.cases_fixtures",
    "tests.reports_fixtures",
]


@pytest.fixture(autouse=True)
def no_database_is_left() -> Iterator[None]:
    """Whatever a test was given a database for."""
    yield
    forget_all()
