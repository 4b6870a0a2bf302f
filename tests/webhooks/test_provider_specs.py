"""What each provider's SPEC says, and that the documentation says it, too."""

from __future__ import annotations

import re

import pytest

from bot.runtime.read_settings import read_settings
from handlers.webhooks.provider_spec import ProviderSpec
from handlers.webhooks.providers import SPECS
from handlers.webhooks.receiver.receive import ReceiveOutcome
from tests.support.webhooks_fixtures import ROOT

SETUP = ROOT / "docs" / "providers" / "setup.md"
FOLDERS = ROOT / "handlers" / "webhooks" / "providers"
#: Variables that AWS's own tools read, too.
AMAZONS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
EACH = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


def test_every_folder_has_a_row_of_its_name():
    folders = {path.parent.name for path in FOLDERS.glob("*/__init__.py")}

    assert folders - set(SPECS) == set(), f"add its SPEC to SPECS in {FOLDERS / '__init__.py'}"
    assert set(SPECS) - folders == set(), f"a provider has the name of its folder in {FOLDERS}"


@EACH
def test_its_settings_and_routes_are_called_after_what_it_is(spec: ProviderSpec):
    if spec.ours:
        pytest.skip("it is no company")

    own = [one.name for one in spec.settings if one.name not in AMAZONS]
    assert all(name.startswith(f"OPTIN_{spec.name.upper()}_") for name in own)
    assert spec.name == "ses" or len(own) == len(spec.settings)
    assert all(f"{one.path}/".startswith(f"/webhooks/{spec.name}/") for one in spec.routes)


@EACH
def test_a_setting_that_is_not_given_has_its_default(spec: ProviderSpec):
    settings = read_settings({}).providers

    assert [settings[one] for one in spec.settings] == [one.default for one in spec.settings]


@EACH
def test_its_advice_is_of_failures_that_there_are(spec: ProviderSpec):
    assert spec.advice.keys() <= {*ReceiveOutcome, "missed"}


@pytest.mark.skipif(not SETUP.exists(), reason="there is no docs/providers/setup.md")
@EACH
def test_setup_md_has_a_section_with_its_label_settings_and_routes(spec: ProviderSpec):
    sections = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n?)*)", SETUP.read_text("utf-8"), re.M))
    about = [text for heading, text in sections.items() if heading.endswith(f"(`{spec.name}`)")]
    labels = [heading for heading in sections if heading == f"{spec.label} (`{spec.name}`)"]

    assert len(about) == 1, (
        f"write one section in docs/providers/setup.md with the heading "
        f"{spec.label} (`{spec.name}`)"
    )
    assert labels or spec.ours, f"call the section {spec.label}"
    assert [one.name for one in spec.settings if f"`{one.name}`" not in about[0]] == [], (
        f"name each setting in the section {spec.label} of docs/providers/setup.md"
    )
    assert [one.path for one in spec.routes if one.path not in about[0]] == [], (
        f"name each route in the section {spec.label} of docs/providers/setup.md"
    )
