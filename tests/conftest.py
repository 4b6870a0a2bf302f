"""Fixtures for every test, each kind in a module of its own."""

from collections.abc import Iterator

import pytest

from tests.support.storages import forget_all

pytest_plugins = [
    "tests.support.browser_fixtures",
    "tests.support.cli_fixtures",
    "tests.support.consent_fixtures",
    "tests.support.slack_fixtures",
    "tests.support.store_fixtures",
    "tests.support.take_fixtures",
    "tests.support.tinydb_fixtures",
    "tests.support.alerts_fixtures",
    "tests.support.cases_fixtures",
    "tests.support.reports_fixtures",
]


@pytest.fixture(autouse=True)
def no_database_is_left() -> Iterator[None]:
    """Whatever a test was given a database for."""
    yield
    forget_all()
