"""Which providers the settings switch on, and what they say of a setting that can't be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.config.setting_values import ProviderSetting
from bot.config.settings import SettingsError
from bot.consent.known_providers import COMMON, BlockingWords
from bot.consent.model import Channel
from bot.consent.suppressions import Cause
from bot.runtime.read_settings import read_settings
from handlers.webhooks.provider import Provider, Route
from handlers.webhooks.provider_spec import ProviderSpec, register
from handlers.webhooks.providers import SPECS
from handlers.webhooks.registry import known_providers, list_clients, lists_switches, make_providers
from tests.support.list_clients_fixtures import SWITCHES
from tests.support.webhooks_fixtures import all_samples

ROOT = Path(__file__).parents[2]
SMS_PROVIDERS = {name for name, spec in SPECS.items() if spec.channel is Channel.SMS}
PUBLIC = "https://optin.example.com"


def made(public_url: str | None = PUBLIC, **env: str) -> list[Provider]:
    settings = read_settings(env)
    return make_providers(
        settings.providers,
        public_url=public_url,
        mailboxes_of=lambda _: None,
    )


def test_without_a_secret_no_provider_is_on():
    assert made() == []


def test_each_provider_answers_to_the_name_and_the_setting_that_switch_it_on(tmp_path: Path):
    found = {sample.provider: sample.provider_with(tmp_path) for sample in all_samples()}

    assert {name: provider.name for name, provider in found.items()} == {n: n for n in SPECS}


def test_providers_call_addresses_of_their_own():
    paths = [route.path for spec in SPECS.values() for route in spec.routes]

    assert len(paths) == len(set(paths))
    assert all(path.startswith(("/webhooks/", "/u/")) for path in paths)


def test_every_sms_provider_has_its_opt_out_words():
    words = {
        name: spec.blocking_words.words
        for name, spec in SPECS.items()
        if spec.channel is Channel.SMS and spec.blocking_words
    }

    assert {"twilio", "telnyx", "vonage"} <= words.keys() == SMS_PROVIDERS
    assert all("stop" in words[name] for name in SMS_PROVIDERS)


def test_the_providers_that_report_sms_are_registered_for_sms():
    reporting = {
        sample.provider
        for sample in all_samples()
        if any(event["channel"] == Channel.SMS for event in sample.expected)
    }

    assert reporting == SMS_PROVIDERS


def spec(name: str = "plivo", channel: Channel = Channel.SMS, **more: Any) -> ProviderSpec:
    """A provider that nothing is wrong with, but for what `more` says."""
    setting = ProviderSetting[str]("OPTIN_PLIVO_AUTH_TOKEN", str, "")
    right = {
        "label": "Plivo",
        "settings": (setting,),
        "routes": (Route(path="/webhooks/plivo"),),
        "make": lambda _: None,
    }
    return ProviderSpec(name=name, channel=channel, **right | more)


def test_the_registry_refuses_an_sms_provider_without_opt_out_words():
    with pytest.raises(ValueError, match="'plivo' has no blocking words"):
        register([spec()])


def test_an_email_provider_needs_no_opt_out_words():
    email = spec("another", Channel.EMAIL)

    assert register([email]) == {"another": email}


def test_two_providers_share_no_name_no_setting_and_no_route():
    words = BlockingWords(COMMON)
    one = spec(blocking_words=words)
    other = ProviderSetting[str]("OPTIN_OTHER_KEY", str, "")

    with pytest.raises(ValueError, match="called 'plivo'"):
        register([one, one])
    with pytest.raises(ValueError, match="the setting OPTIN_PLIVO_AUTH_TOKEN"):
        register([one, spec("other", blocking_words=words)])
    with pytest.raises(ValueError, match="the route /webhooks/plivo"):
        register([one, spec("other", blocking_words=words, settings=(other,))])


@pytest.mark.parametrize("words", [{"STOP"}, {"stop "}, {"stop", "Cancel"}, {"cancel"}, set()])
def test_blocking_words_that_no_text_could_match_are_refused(words: set[str]):
    with pytest.raises(ValueError, match="Blocking words"):
        BlockingWords(frozenset(words))


def test_twilios_shared_keys_alone_switch_it_on():
    assert [one.name for one in made(OPTIN_TWILIO_SHARED_KEYS="id=se=cret, b = c")] == ["twilio"]


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"OPTIN_SENDGRID_PUBLIC_KEY": "AAAA"}, "OPTIN_SENDGRID_PUBLIC_KEY is no public key."),
        ({"OPTIN_TELNYX_PUBLIC_KEY": "AAAA"}, "OPTIN_TELNYX_PUBLIC_KEY is no public key."),
        (
            {"OPTIN_RESEND_SIGNING_SECRET": "whsec_"},
            "OPTIN_RESEND_SIGNING_SECRET is no signing sec",
        ),
        (
            {"OPTIN_POSTMARK_PASSWORD": "x"},
            "OPTIN_POSTMARK_PASSWORD and OPTIN_POSTMARK_USER belong",
        ),
        ({"OPTIN_POSTMARK_USER": "x"}, "OPTIN_POSTMARK_PASSWORD and OPTIN_POSTMARK_USER belong"),
    ],
)
def test_a_secret_that_cant_be_one_is_named_before_anything_connects(env, sentence: str):
    with pytest.raises(ValueError, match=sentence.replace(".", r"\.")):
        made(**env)


def test_twilio_needs_the_public_address_that_it_signs():
    with pytest.raises(ValueError, match="OPTIN_TWILIO_AUTH_TOKEN needs OPTIN_PUBLIC_URL"):
        made(public_url=None, OPTIN_TWILIO_AUTH_TOKEN="12345")


@pytest.mark.parametrize(
    "env",
    [
        {"OPTIN_TWILIO_SHARED_KEYS": "secret"},
        {"OPTIN_TWILIO_SHARED_KEYS": "a=1,a=2"},
        {"OPTIN_TWILIO_SHARED_KEYS": "=1"},
        {"OPTIN_TWILIO_ACCOUNT_SID": "SM123"},
        {"OPTIN_TWILIO_API_URL": "api.twilio.com"},
        {"OPTIN_VONAGE_SIGNATURE_METHOD": "crc32"},
        {"OPTIN_SES_TOPIC_ARNS": "optin"},
        {"OPTIN_SES_TOPIC_ARNS": ","},
        {"OPTIN_SES_CERTIFICATES": "/nowhere/at/all"},
        {"OPTIN_UNSUBSCRIBE_KEY": "short"},
        {"OPTIN_SENDGRID_API_KEY": "SG.a, SG.b"},
        {"OPTIN_SENDGRID_API_URL": "api.sendgrid.com"},
        {"OPTIN_MAILGUN_DOMAINS": "mg.example.com, ../x"},
        {"OPTIN_MAILGUN_DOMAINS": "localhost"},
        {"OPTIN_SES_REGION": "Ireland"},
        {"OPTIN_SES_OPTOUT": "bounce"},
        {"OPTIN_TWILIO_CONSENT": "yes"},
        {"OPTIN_TWILIO_CONSENT_SENDERS": "support"},
    ],
    ids=lambda env: next(iter(env)),
)
def test_a_setting_that_cant_be_understood_is_named(env: dict[str, str]):
    with pytest.raises(SettingsError, match=next(iter(env))):
        read_settings(env)


def test_no_secret_is_in_what_is_printed_of_the_settings():
    settings = read_settings(
        {
            "OPTIN_TWILIO_AUTH_TOKEN": "hidden",
            "OPTIN_TWILIO_SHARED_KEYS": "id=hidden",
            "OPTIN_POSTMARK_PASSWORD": "hidden",
            "OPTIN_MAILGUN_SIGNING_KEY": "hidden",
            "OPTIN_UNSUBSCRIBE_KEY": "hidden" * 4,
        }
    )

    assert "hidden" not in repr(settings)


LISTED = {
    name: {key: value.format(url="http://127.0.0.1:1") for key, value in env.items()}
    for name, env in SWITCHES.items()
}


@pytest.mark.parametrize("name", LISTED)
def test_a_providers_lists_are_on_by_their_own_key_and_without_its_webhook(name: str):
    settings = read_settings(LISTED[name])

    known = known_providers(settings.providers)

    assert [*list_clients(settings.providers)] == [name]
    assert known.by_id[name].lists is not None
    if name != "twilio":
        assert made(**LISTED[name]) == []
    assert lists_switches()[name] in LISTED[name]


def test_without_a_key_no_lists_are_on():
    known = known_providers(read_settings({}).providers, write_back=True)

    assert list_clients(read_settings({}).providers) == {}
    assert {provider.lists for provider in known.by_id.values()} == {None}
    assert known_providers() == known


@pytest.mark.parametrize("name", LISTED)
def test_nothing_is_written_without_write_back(name: str):
    lists = known_providers(read_settings(LISTED[name]).providers).by_id[name].lists

    assert lists is not None
    assert not lists.adds
    assert lists.removes == frozenset()


@pytest.mark.parametrize("name", LISTED)
def test_no_complaint_and_nothing_of_texts_may_ever_be_taken_off(name: str):
    settings = read_settings(LISTED[name]).providers
    lists = known_providers(settings, write_back=True).by_id[name].lists

    assert lists is not None
    assert Cause.COMPLAINT not in lists.removes
    assert name not in SMS_PROVIDERS or lists.removes == frozenset()
    assert lists.adds is (name != "telnyx")
    assert lists.reads is (name != "twilio")


def test_amazon_gets_no_opt_outs_unless_the_operator_wants_them_as_complaints():
    env = {name: value for name, value in LISTED["ses"].items() if name != "OPTIN_SES_OPTOUT"}
    lists = known_providers(read_settings(env).providers, write_back=True).by_id["ses"].lists

    assert lists is not None
    assert not lists.adds
    assert lists.removes == {Cause.BOUNCE, Cause.UNKNOWN}


@pytest.mark.parametrize(
    ("missing", "name"),
    [
        ("OPTIN_MAILGUN_DOMAINS", "mailgun"),
        ("OPTIN_MAILGUN_API_KEY", "mailgun"),
        ("AWS_ACCESS_KEY_ID", "ses"),
        ("AWS_SECRET_ACCESS_KEY", "ses"),
        ("OPTIN_TWILIO_ACCOUNT_SID", "twilio"),
        ("OPTIN_TWILIO_CONSENT_SENDERS", "twilio"),
    ],
)
def test_half_of_what_a_providers_lists_need_is_named(missing: str, name: str):
    env = {key: value for key, value in LISTED[name].items() if key != missing}
    settings = read_settings(env).providers

    with pytest.raises(ValueError, match=missing):
        list_clients(settings)
    assert known_providers(settings, write_back=True).by_id[name].lists is None


@pytest.mark.parametrize(
    "name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
)
def test_a_key_of_awss_that_cant_be_one_is_named(name: str):
    settings = read_settings({**LISTED["ses"], name: "with blanks, ü"}).providers

    with pytest.raises(ValueError, match=name):
        list_clients(settings)


def test_awss_own_variables_alone_switch_nothing_on():
    env = {"AWS_ACCESS_KEY_ID": "AKIA with blanks,", "AWS_SECRET_ACCESS_KEY": "x"}

    assert list_clients(read_settings(env).providers) == {}


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "email.eu-west-1.amazonaws.com"),
        ("cn-north-1", "email.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "email.us-gov-west-1.amazonaws.com"),
    ],
)
def test_amazons_host_is_the_regions(region: str, host: str):
    env = {key: value for key, value in LISTED["ses"].items() if key != "OPTIN_SES_API_URL"}
    client = list_clients(read_settings({**env, "OPTIN_SES_REGION": region}).providers)["ses"]

    assert vars(vars(client)["_calls"])["host"] == host


def test_no_key_of_a_list_is_in_what_is_printed():
    for env in LISTED.values():
        settings = read_settings(env)
        printed = f"{settings!r} {list_clients(settings.providers)!r}"

        assert "sandbox" not in printed.lower()


def test_where_no_lists_are_on_their_clients_are_not_loaded():
    code = "import sys, handlers.webhooks.registry as r; r.known_providers(); r.list_clients(r.ProviderSettings()); print([m for m in sys.modules if 'suppressions' in m or 'list_calls' in m])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert done.stdout.strip() == "['bot.consent.suppressions']"
