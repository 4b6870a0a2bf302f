"""How many files one request passes, and that docs/architecture.md names exactly these."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.traced_files import traced_files

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
#: By request: its heading on the page, and the most files whose functions may run. To follow a
#: request is to read these; lower the number when one goes.
LIMITS = {"STOP": ("One STOP", 48), "/optin": ("One `/optin", 36)}


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    found = traced_files(tmp_path_factory.mktemp("traced"))
    return {request: set(files) for request, files in found.items()}


@pytest.mark.parametrize("request_of", LIMITS)
def test_a_request_runs_functions_of_no_more_files(
    request_of: str, traced: dict[str, set[str]]
) -> None:
    _, most = LIMITS[request_of]

    assert len(traced[request_of]) <= most


@pytest.mark.parametrize("request_of", LIMITS)
def test_the_page_names_exactly_the_files_that_a_request_passes(
    request_of: str, traced: dict[str, set[str]]
) -> None:
    heading, most = LIMITS[request_of]

    assert named(heading) == traced[request_of]
    assert f"the {most} files" in section(heading)


def section(heading: str) -> str:
    return PAGE.partition(f"## {heading}")[2].partition("\n## ")[0]


def named(heading: str) -> set[str]:
    """The files in the numbered steps under this heading."""
    steps = re.findall(r"^\d+\. .*(?:\n {3,4}.*)*", section(heading), re.MULTILINE)
    return set(re.findall(r"`([\w/]+\.py)`", "\n".join(steps)))
