"""The modal "Alert settings" of a channel: mute, kinds and thresholds, for managers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bot.consent.alerts import BOUNCES_WITHIN, OPTIONAL, SINGLES, AlertKind
from bot.consent.errors import Invalid
from bot.consent.use_cases.alerts.alert_settings import AlertSettings, Thresholds
from handlers.slack import ids
from handlers.slack.alerts.render.storm_text import KINDS
from handlers.slack.blocks.elements import option
from handlers.slack.blocks.formatting import Block, context, date, plain, section
from handlers.slack.blocks.modal_frame import Metadata, View, modal, select
from handlers.slack.interaction import INCOMPLETE, states

_KINDS, _MUTE, _SINGLES, _BOUNCES, _THREADS = "kinds", "mute", "singles", "bounces", "threads"
_WANTED = option("Post later news in the alert's thread, too", "yes")
_MINUTE = timedelta(minutes=1)
#: Values of the mute: minutes, or that it stays as it is.
_AS_IT_IS = "keep"
_MUTES = {"For 30 minutes": "30", "For 2 hours": "120", "For a day": "1440"}
_SINGLES_OFFERED = (1, SINGLES, 5, 10, 20, 50)
_MINUTES_OFFERED = (1, 5, BOUNCES_WITHIN // _MINUTE, 30, 60)


def settings_modal(slack_channel: str, settings: AlertSettings, now: datetime, alert: str) -> View:
    """`alert` is the id of the alert from which the modal was opened. Its channel is meant."""
    return modal(
        ids.ALERT_SETTINGS_MODAL,
        "Alert settings",
        settings_blocks(slack_channel, settings, now),
        Metadata(contact=alert),
        submit="Save",
    )


def settings_blocks(slack_channel: str, settings: AlertSettings, now: datetime) -> list[Block]:
    """The fields that `chosen_settings` reads."""
    where = f"<#{slack_channel}>"
    if settings.muted(now) and settings.until is not None:
        state = f"Alerts in {where} are muted until {date(settings.until)}."
        mutes = {"Stays muted": _AS_IT_IS, "Unmute": "0", **_MUTES}
    else:
        state = f"Alerts are posted to {where}."
        mutes = {"Not muted": _AS_IT_IS, **_MUTES}
    return [
        section(f"{state} These settings hold for this channel. Optin stores every event anyway."),
        select(_MUTE, "Mute", [option(text, value) for text, value in mutes.items()], _AS_IT_IS),
        _kinds(settings),
        _choice(
            _SINGLES,
            "Single alerts a minute",
            "More alerts of one kind in a minute than this make one card.",
            {n: f"{n} {'alert' if n == 1 else 'alerts'}" for n in _SINGLES_OFFERED},
            settings.thresholds.singles,
            default=SINGLES,
        ),
        _choice(
            _BOUNCES,
            "Group bounces within",
            "Bounces that come within this time share one message.",
            {n: f"{n} {'minute' if n == 1 else 'minutes'}" for n in _MINUTES_OFFERED},
            settings.thresholds.bounces_within // _MINUTE,
            default=BOUNCES_WITHIN // _MINUTE,
        ),
        _threads(settings),
        context("Replies that somebody has to read, and spam complaints, are always posted."),
    ]


def chosen_settings(
    view: dict[str, Any],
) -> tuple[timedelta | None, list[AlertKind], Thresholds, bool | None]:
    """What was chosen: the mute, if it changes, the kinds, the thresholds, and whether threads are
    wanted, which forms of earlier versions don't ask. Raises `Invalid` where Slack left something
    out: what is missing must not be switched off."""
    fields = states(view)
    ticked = _ticked(fields, _KINDS)
    threads = bool(_ticked(fields, _THREADS)) if _THREADS in fields else None
    mute = _selected(fields, _MUTE)
    if mute not in (_AS_IT_IS, "0", *_MUTES.values()):
        raise Invalid(ids.OUTDATED)
    thresholds = Thresholds(
        singles=_number(_selected(fields, _SINGLES)),
        bounces_within=_number(_selected(fields, _BOUNCES)) * _MINUTE,
    )
    length = None if mute == _AS_IT_IS else timedelta(minutes=int(mute))
    return length, [kind for kind in OPTIONAL if kind in ticked], thresholds, threads


def saved_sentence(slack_channel: str, settings: AlertSettings, now: datetime) -> str:
    """What holds from now on."""
    where = f"<#{slack_channel}>"
    if settings.muted(now) and settings.until is not None:
        return (
            f"Saved. Alerts in {where} are muted until {date(settings.until)}, and summed up then. "
            "Replies that somebody has to read, and spam complaints, are posted all the same."
        )
    return f"Saved. The settings hold for {where} from the next event on."


def _kinds(settings: AlertSettings) -> Block:
    options = [option(KINDS[kind][1][:1].upper() + KINDS[kind][1][1:], kind) for kind in OPTIONAL]
    chosen = [o for o, kind in zip(options, OPTIONAL, strict=True) if kind not in settings.off]
    element: Block = {"type": "checkboxes", "action_id": _KINDS, "options": options}
    if chosen:
        element |= {"initial_options": chosen}
    return {
        "type": "input",
        "block_id": _KINDS,
        "optional": True,
        "label": plain("Kinds", 24),
        "element": element,
    }


def _threads(settings: AlertSettings) -> Block:
    element: Block = {"type": "checkboxes", "action_id": _THREADS, "options": [_WANTED]}
    if settings.threads:
        element |= {"initial_options": [_WANTED]}
    return {
        "type": "input",
        "block_id": _THREADS,
        "optional": True,
        "label": plain("Threads", 24),
        "hint": plain("UNSTOP, a request, a return, an answer, and who handled it.", 200),
        "element": element,
    }


def _choice(
    name: str, label: str, hint: str, offered: dict[int, str], now: int, *, default: int
) -> Block:
    """A dropdown of numbers. One that is not offered, but set, is offered, too."""
    texts = offered | ({} if now in offered else {now: str(now)})
    options = [
        option(f"{texts[number]} (default)" if number == default else texts[number], str(number))
        for number in sorted(texts)
    ]
    return select(name, label, options, str(now)) | {"hint": plain(hint, 200)}


def _ticked(fields: dict[str, dict[str, dict[str, Any]]], name: str) -> set[str]:
    options = fields.get(name, {}).get(name, {}).get("selected_options")
    if not isinstance(options, list):  # nothing ticked is an empty list
        raise Invalid(INCOMPLETE)
    return {str(one.get("value")) for one in options if isinstance(one, dict)}


def _selected(fields: dict[str, dict[str, dict[str, Any]]], name: str) -> str:
    chosen = fields.get(name, {}).get(name, {}).get("selected_option")
    if not isinstance(chosen, dict):
        raise Invalid(INCOMPLETE)
    return str(chosen.get("value"))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise Invalid(ids.OUTDATED)
    return int(text)
