"""Fixtures for every test, each kind in a module of its own."""

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
]
