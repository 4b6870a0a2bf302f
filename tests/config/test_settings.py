"""Settings: what they understand, and the one sentence for what they don't."""

from __future__ import annotations

import logging
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from bot.config import hash_key
from bot.config.settings import ConfiguredPeople, Mode, Settings, SettingsError, environment
from bot.consent.senders import Number, NumberKind, Sender
from storage import open_store
from tests.support.consent_fixtures import sender

SLACK = {
    "SLACK_BOT_TOKEN": "xoxb-1-secret",
    "SLACK_APP_TOKEN": "xapp-1-secret",
    "SLACK_SIGNING_SECRET": "8f742231b10e8888abcd99yyyzzz85a5",
}


def test_the_command_line_needs_no_settings():
    settings = Settings.read({})

    assert settings == Settings()
    assert settings.storage == "tinydb:///data/optin.json"
    assert settings.command == "/optin"
    assert settings.region == "US"
    assert settings.slack_api_url == "https://slack.com/api/"


def test_an_empty_variable_counts_as_not_set():
    assert Settings.read({"OPTIN_REGION": "  ", "OPTIN_MANAGERS": ""}) == Settings()


def test_every_setting_is_read():
    settings = Settings.read(
        SLACK
        | {
            "SLACK_API_URL": "http://127.0.0.1:3030/api",
            "OPTIN_STORAGE": "tinydb:////var/lib/optin/my contacts.json",
            "OPTIN_COMMAND": "/optin-eu",
            "OPTIN_ALERT_CHANNEL": "C0123ALERT",
            "OPTIN_MANAGERS": "U01, S02 ,W03,",
            "OPTIN_REGION": "de",
            "OPTIN_PUBLIC_URL": "https://optin.example.com/in/",
            "OPTIN_HASH_KEY": "k" * 32,
            "OPTIN_CRM_URL": "https://crm.example.com/c/{external_id}",
        },
        need_slack=True,
    )

    assert settings.bot_token == "xoxb-1-secret"
    assert settings.app_token == "xapp-1-secret"
    assert settings.signing_secrets == ("8f742231b10e8888abcd99yyyzzz85a5",)
    assert settings.slack_api_url == "http://127.0.0.1:3030/api/"
    assert settings.storage == "tinydb:////var/lib/optin/my contacts.json"
    assert settings.command == "/optin-eu"
    assert settings.approval_channel == settings.alert_channel == "C0123ALERT"
    assert settings.managers == ConfiguredPeople(
        users=frozenset({"U01", "W03"}), groups=frozenset({"S02"})
    )
    assert settings.agents == ConfiguredPeople()
    assert settings.region == "DE"
    assert settings.public_url == "https://optin.example.com/in"
    assert settings.given_hash_key == b"k" * 32
    assert settings.crm is not None
    assert settings.crm.page("1") == "https://crm.example.com/c/1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLACK_BOT_TOKEN", "xapp-1-secret"),
        ("SLACK_APP_TOKEN", "xoxb-1-secret"),
        ("SLACK_SIGNING_SECRET", "two words secret"),
        ("SLACK_SIGNING_SECRET", ","),
        ("SLACK_API_URL", "slack.com/secret"),
        ("SLACK_API_URL", "http://[secret"),
        ("OPTIN_STORAGE", "secret.json"),
        ("OPTIN_COMMAND", "optin"),
        ("OPTIN_COMMAND", "/Optin"),
        ("OPTIN_COMMAND", "/" + "x" * 32),
        ("OPTIN_ALERT_CHANNEL", "#alerts"),
        ("OPTIN_APPROVAL_CHANNEL", "C1 C2"),
        ("OPTIN_MANAGERS", "@lee"),
        ("OPTIN_AGENTS", "U1;U2"),
        ("OPTIN_AGENTS", "U1, Ｕ2"),
        ("OPTIN_REGION", "Germany"),
        ("OPTIN_SENDERS", "no-such-file.toml"),
        ("OPTIN_PUBLIC_URL", "https://optin.example.com/?secret"),
        ("OPTIN_PUBLIC_URL", "https://optin.example.com:secret"),
        ("OPTIN_PUBLIC_URL", "ftp://optin.example.com"),
        ("OPTIN_HASH_KEY", "secret"),
        ("OPTIN_CRM_URL", "crm.example.com/secret/{external_id}"),
        ("OPTIN_CRM_URL", "https://crm.example.com/secret"),
        ("OPTIN_CRM_URL", "https://crm.example.com/secret/{id}"),
        ("OPTIN_CRM_URL", "https://crm.example.com/{external_id}/secret/{external_id}"),
        ("OPTIN_CRM_URL", "https://{external_id}.example.com/secret"),
        ("OPTIN_CRM_URL", "https://me:secret@crm.example.com/{external_id}"),
        ("OPTIN_CRM_URL", "https://crm.example.com/a secret/{external_id}"),
        ("OPTIN_CRM_URL", "javascript:secret('{external_id}')"),
        ("OPTIN_CRM_URL", "https://[secret/{external_id}"),
    ],
)
def test_a_malformed_setting_is_one_sentence_that_names_it_and_shows_no_secret(name, value):
    with pytest.raises(SettingsError) as caught:
        Settings.read({name: value})

    assert caught.value.sentence.startswith(f"{name} ")
    assert caught.value.sentence.endswith(".")
    assert "\n" not in caught.value.sentence
    assert "secret" not in caught.value.sentence.replace("signing secret", "")


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "SLACK_BOT_TOKEN"),
        ({"SLACK_APP_TOKEN": "xapp-1"}, "SLACK_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN"),
    ],
)
def test_serve_names_the_slack_setting_that_is_missing(given, missing):
    with pytest.raises(SettingsError, match=f"^{missing} is missing"):
        Settings.read(given, need_slack=True)


def test_the_mode_is_socket_if_it_has_a_token():
    both = Settings.read(SLACK)
    only_http = Settings.read({"SLACK_SIGNING_SECRET": "s"})

    assert both.mode() is Mode.SOCKET
    assert both.mode(Mode.HTTP) is Mode.HTTP
    assert only_http.mode() is Mode.HTTP


def test_a_mode_without_its_secret_is_refused():
    with pytest.raises(SettingsError, match="SLACK_SIGNING_SECRET"):
        Settings.read({"SLACK_APP_TOKEN": "xapp-1"}).mode(Mode.HTTP)
    with pytest.raises(SettingsError, match="SLACK_APP_TOKEN"):
        Settings.read({"SLACK_SIGNING_SECRET": "s"}).mode(Mode.SOCKET)


def test_both_signing_secrets_are_read_during_a_rotation():
    settings = Settings.read({"SLACK_SIGNING_SECRET": "old , new"})

    assert settings.signing_secrets == ("old", "new")


def test_no_secret_shows_in_the_repr():
    shown = repr(
        Settings.read(
            SLACK | {"OPTIN_STORAGE": "postgresql://u:secret@h/db", "OPTIN_HASH_KEY": "secret" * 6}
        )
    )

    assert "secret" not in shown
    assert "8f742231" not in shown


def test_an_unknown_name_is_a_warning_with_the_closest_known_name(caplog):
    with caplog.at_level(logging.WARNING):
        Settings.read({"OPTIN_MANAGER": "U1", "OPTIN_ZZZZZZ": "x", "OTHER": "y"})

    assert [record.getMessage() for record in caplog.records] == [
        "OPTIN_MANAGER is no setting of Optin; did you mean OPTIN_MANAGERS?",
        "OPTIN_ZZZZZZ is no setting of Optin",
    ]


def test_the_environment_wins_over_the_file_and_dollars_are_not_expanded(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text('OPTIN_REGION=DE\nSLACK_BOT_TOKEN="xoxb-${HOME}"\nEMPTY\n')
    monkeypatch.setenv("OPTIN_REGION", "FR")
    found = environment(tmp_path)

    assert found["OPTIN_REGION"] == "FR"
    assert found["SLACK_BOT_TOKEN"] == "xoxb-${HOME}"
    assert "EMPTY" not in found
    assert environment(tmp_path / "nowhere") == dict(os.environ)


def test_a_file_that_everyone_can_read_is_warned_about(tmp_path, caplog):
    path = tmp_path / ".env"
    path.write_text("OPTIN_REGION=DE\n")
    path.chmod(0o600)
    environment(tmp_path)
    quiet = list(caplog.records)
    path.chmod(0o644)
    environment(tmp_path)

    assert quiet == []
    assert "chmod 600 .env" in caplog.text


def test_an_env_file_that_is_not_text_is_one_sentence(tmp_path):
    (tmp_path / ".env").write_bytes(b"OPTIN_REGION=\xff\xfe")

    with pytest.raises(SettingsError, match=r"^\.env can't be read"):
        environment(tmp_path)


def test_senders_keep_the_order_of_the_file_and_the_first_is_the_default(tmp_path):
    path = tmp_path / "senders.toml"
    path.write_text(
        '[[sender]]\nid = "+18885550199"\nname = "Support"\nunblock_word = "start"\n'
        '[[sender]]\nid = "+14155550100"\n'
        '[[sender]]\nid = "MG0123"\n'
        '[[sender]]\nid = "support"\nservice = "MG9"\nnumbers = ["+1 (415) 555-0001", '
        '{number = "+14155550002", kind = "toll_free"}, "72345"]\n'
    )
    settings = Settings.read({"OPTIN_SENDERS": str(path)})

    assert settings.senders == (
        sender("+18885550199", "Support", unblock_word="START"),
        sender("+14155550100"),
        Sender(id="MG0123"),
        Sender(
            id="support",
            service="MG9",
            numbers=(
                Number(number="+14155550001", kind=NumberKind.LONG_CODE),
                Number(number="+14155550002", kind=NumberKind.TOLL_FREE),
                Number(number="72345", kind=NumberKind.SHORT_CODE),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "[[sender]]"),
        ("[[sender", "no TOML"),
        ("[sender]\nid = '1'", "[[sender]]"),
        ("[[senders]]\nid = '1'", "[[sender]]"),
        ("[[sender]]\nname = 'x'", "an id"),
        ("[[sender]]\nid = '+1 888'", "an id"),
        ("[[sender]]\nid = 18885550199", "text for id"),
        ("[[sender]]\nid = '1'\ntoll_free = 'yes'", "true or false for toll_free"),
        ("[[sender]]\nid = '1'\ncolor = 'red'", "'color'"),
        ("[[sender]]\nid = '1'\n[[sender]]\nid = '1'", "twice"),
        ("[[sender]]\nid = 'a'\nnumbers = '+14155550001'", "a list for numbers"),
        ("[[sender]]\nid = 'a'\nnumbers = ['x']", "neither an E.164 number nor a short code"),
        ("[[sender]]\nid = 'a'\nnumbers = [1]", "needs numbers as"),
        ("[[sender]]\nid = 'a'\nnumbers = [{number = '72345', kind = 'long'}]", "long_code"),
        (
            "[[sender]]\nid = 'a'\nservice = 'MG1'\n[[sender]]\nid = 'b'\nservice = 'MG1'",
            "names MG1 in two senders",
        ),
    ],
)
def test_a_senders_file_that_is_wrong_is_one_sentence_that_says_where(tmp_path, text, wrong):
    path = tmp_path / "senders.toml"
    path.write_text(text)

    with pytest.raises(SettingsError) as caught:
        Settings.read({"OPTIN_SENDERS": str(path)})

    assert caught.value.sentence.startswith(f"OPTIN_SENDERS names {path}, which ")
    assert wrong in caught.value.sentence


def test_the_hash_key_is_made_once_beside_the_storage_for_its_owner_alone(tmp_path):
    settings = Settings.read({"OPTIN_STORAGE": f"tinydb:///{tmp_path}/new/contacts.json"})
    with closing(open_store(settings.storage)) as store:
        key = settings.hash_key(store)
        made = tmp_path / "new" / "contacts.hash-key"

        assert len(key) == 64
        assert settings.hash_key(store) == key
        assert stat.S_IMODE(made.stat().st_mode) == 0o600
        assert [path for path in made.parent.iterdir() if "hash" in path.name] == [made]
        assert Settings.read({"OPTIN_HASH_KEY": made.read_text()}).hash_key(store) == key


def test_processes_that_make_the_hash_key_at_once_get_the_same_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(hash_key.read_or_make, [tmp_path / "key"] * 8))

    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_hash_key_that_cannot_be_read_or_made_is_one_sentence(tmp_path):
    (tmp_path / "empty.hash-key").touch()
    (tmp_path / "folder.hash-key").mkdir()

    for storage in (
        f"tinydb:///{tmp_path}/empty.json",
        f"sqlite:///{tmp_path}/empty.db",
        f"tinydb:///{tmp_path}/folder.json",
    ):
        settings = Settings.read({"OPTIN_STORAGE": storage})
        with (
            closing(open_store(storage)) as store,
            pytest.raises(SettingsError, match=r"^OPTIN_HASH_KEY "),
        ):
            settings.hash_key(store)


def test_relative_storage_is_beside_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with closing(open_store(Settings().storage)) as store:
        Settings().hash_key(store)

    assert Path("data/optin.hash-key").is_file()
