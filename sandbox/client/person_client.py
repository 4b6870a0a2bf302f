"""Somebody at the keyboard."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from sandbox.client.action_outcome import ClientOutcome
from sandbox.client.http_client import Address
from sandbox.client.shown import (
    Control,
    Home,
    Modal,
    NotThere,
    ShownMessage,
    Surface,
    find_option,
    options_of,
)


class PersonClient:
    """Each act returns when the app has acknowledged it, or has failed to; where the workspace has
    an `answered`, when that has returned.

    `in_` says where to look for a control; without it, the top modal, else the newest message
    that has it. Raises NotThere for what is not on the screen, Impossible for what can't be done.
    """

    def __init__(
        self,
        address: Address,
        id_: str,
        zone: str,
        answered: Callable[[], object] | None = None,
    ) -> None:
        self.id = id_
        self.zone = zone
        self._address = address
        self._answered = answered

    # What they see

    def messages(self, channel: str = "#support") -> list[ShownMessage]:
        """Oldest first; their own ephemerals included."""
        state = self._state()
        wanted = {c["id"] for c in state["channels"] if channel.lstrip("#") in (c["name"], c["id"])}
        return [ShownMessage(raw=raw) for raw in state["messages"] if raw["channel"] in wanted]

    def dms(self) -> list[ShownMessage]:
        """The direct messages with the app, oldest first."""
        return self.messages("directmessage")

    @property
    def modal(self) -> Modal | None:
        modals = self.modals
        return modals[-1] if modals else None

    @property
    def modals(self) -> list[Modal]:
        """The stack, the top one last."""
        return [Modal(raw=raw) for raw in self._state()["modals"]]

    @property
    def shown_home(self) -> Home | None:
        """The App Home as it was published last, without opening it."""
        raw = self._state()["home"]
        return Home(raw=raw) if raw else None

    def download(self, file: dict[str, Any]) -> bytes:
        return self._address.download(file["url_private_download"], self.id)

    # What they do

    def command(self, text: str, channel: str = "#support") -> ClientOutcome:
        return self._do("command", channel=channel, text=text)

    def say(
        self, text: str, channel: str = "#support", thread_ts: str | None = None
    ) -> ClientOutcome:
        """To a channel, or with "directmessage" to the app itself."""
        return self._do("say", channel=channel, text=text, thread_ts=thread_ts)

    def write(self, text: str, channel: str = "#support") -> ClientOutcome:
        """Into the composer, without sending it."""
        return self._do("write", channel=channel, text=text)

    def previews(self) -> list[dict[str, Any]]:
        """What stands below the composer: of which channel, for which link, and its title."""
        previews: list[dict[str, Any]] = self._state()["previews"]
        return previews

    def home(self) -> Home | None:
        """Opens the App Home: what is there when the app has acknowledged, if anything."""
        self._do("home")
        return self.shown_home

    def open_messages(self) -> ClientOutcome:
        """The tab with the direct messages, beside the Home."""
        return self._do("home", tab="messages")

    def shortcut(self, callback_id: str, message: ShownMessage | None = None) -> ClientOutcome:
        return self._do("shortcut", callback_id=callback_id, **(message.where if message else {}))

    def run_step(self, callback_id: str, **inputs: Any) -> ClientOutcome:
        """A workflow of this one step. An input that is None is left empty."""
        return self._do("step", callback_id=callback_id, inputs=inputs)

    def step_runs(self) -> list[dict[str, Any]]:
        """Those that this person started, oldest first: state, outputs, error and so on."""
        runs: list[dict[str, Any]] = self._state()["step_runs"]
        return runs

    def press(
        self, name: str, in_: Surface | None = None, confirm: bool | None = None
    ) -> ClientOutcome:
        """A button, by its text. One that asks first needs `confirm`; False says no to it."""
        place, (block, element) = self._find(in_, lambda surface: surface.button(name))
        return self._act(place, block, element, None, confirm)

    def overflow(
        self, name: str, in_: Surface | None = None, confirm: bool | None = None
    ) -> ClientOutcome:
        """An item of a "…" menu, by its text."""
        place, (block, element, option) = self._find(in_, lambda one: one.overflow_item(name))
        return self._act(place, block, element, option["value"], confirm)

    def type(self, label: str, text: str, in_: Surface | None = None) -> ClientOutcome:
        """Into a text, e-mail or number field, or a date as 2026-11-23, or a time as 09:30."""
        place, (block, element) = self._field(in_, label)
        value: Any = int(text) if element["type"] == "datetimepicker" else (text or None)
        if text and element["type"] == "rich_text_input":
            value = _rich_text(text)
        return self._act(place, block, element, value)

    def choose(
        self, label: str, *names: str, in_: Surface | None = None, confirm: bool | None = None
    ) -> ClientOutcome:
        """Options by text or how it begins; people and channels by name. No name at all empties the
        field. One that asks first needs `confirm`."""
        place, control = self._field(in_, label)
        kind = control[1]["type"]
        if "users_select" in kind:
            chosen: list[Any] = [self._person_id(name) for name in names]
        elif "conversations_select" in kind or "channels_select" in kind:
            chosen = [self._channel_id(name) for name in names]
        else:
            chosen = [find_option(options_of(control[1]), name) for name in names]
        return self._put(place, control, chosen, confirm)

    def suggest(self, label: str, typed: str, in_: Surface | None = None) -> list[dict[str, Any]]:
        """What the app offers for `typed`; [] before it is as long as min_query_length."""
        place, (block, element) = self._field(in_, label)
        if len(typed) < element.get("min_query_length", 3):
            return []
        answer = self._post(
            "suggest",
            **place.where,
            block_id=block["block_id"],
            action_id=element["action_id"],
            value=typed,
        )
        return options_of(
            {"option_groups": answer["options"]}
            if answer["options"] and "label" in answer["options"][0]
            else {"options": answer["options"]}
        )

    def pick(
        self, label: str, *names: str, typed: str | None = None, in_: Surface | None = None
    ) -> ClientOutcome:
        """Types (the option's own text unless `typed` says what), and picks from the offers."""
        place, control = self._field(in_, label)
        chosen = [
            find_option(self.suggest(label, typed or name, in_=place), name) for name in names
        ]
        return self._put(place, control, chosen)

    def attach(
        self, label: str, name: str, content: bytes, in_: Surface | None = None
    ) -> ClientOutcome:
        """A file for a file_input."""
        place, (block, element) = self._field(in_, label)
        path = f"/sandbox/people/{self.id}/files?name={quote(name)}"
        held = place.values[block["block_id"]][element["action_id"]]
        return self._act(place, block, element, [*held, self._address.upload(path, content)])

    def submit(self) -> ClientOutcome:
        return self._do("submit", view=self._top().id)

    def close(self, whole: bool = False) -> ClientOutcome:
        """Cancel; with `whole`, the cross that closes the whole stack."""
        return self._do("close", view=self._top().id, whole=whole)

    def read(self, channel: str) -> None:
        self._do("read", channel=channel)

    # How

    def _put(
        self, place: Surface, control: Control, chosen: list[Any], confirm: bool | None = None
    ) -> ClientOutcome:
        block, element = control
        multiple = element["type"].startswith("multi_") or element["type"] == "checkboxes"
        value: Any = chosen if multiple else (chosen[0] if chosen else None)
        return self._act(place, block, element, value, confirm)

    def _act(
        self,
        place: Surface,
        block: dict[str, Any],
        element: dict[str, Any],
        value: Any,
        confirm: bool | None = None,
    ) -> ClientOutcome:
        if "confirm" in element and confirm is None:
            raise NotThere(f"it asks first: {element['confirm']['text']['text']!r}; say confirm=")
        if "confirm" not in element and confirm is not None:
            raise NotThere("it does not ask first")
        if confirm is False:
            return self._do("nothing")
        return self._do(
            "act",
            **place.where,
            block_id=block["block_id"],
            action_id=element["action_id"],
            value=value,
        )

    def _field(self, in_: Surface | None, label: str) -> tuple[Surface, Control]:
        return self._find(in_, lambda surface: surface.field(label))

    def _find(self, in_: Surface | None, find: Any) -> tuple[Surface, Any]:
        state = self._state()
        if in_ is not None:
            fresh = _again(state, in_)
            return fresh, find(fresh)
        if state["modals"]:
            modal = Modal(raw=state["modals"][-1])
            return modal, find(modal)
        problem = NotThere("there is no message")
        for raw in reversed(state["messages"]):
            try:
                message = ShownMessage(raw=raw)
                return message, find(message)
            except NotThere as missing:
                problem = missing
        raise problem

    def _top(self) -> Modal:
        modal = self.modal
        if modal is None:
            raise NotThere("no modal is open")
        return modal

    def _person_id(self, name: str) -> str:
        wanted = name.casefold()
        for person in self._state()["people"]:
            if wanted in (person["id"].casefold(), person["handle"]) or person[
                "name"
            ].casefold().startswith(wanted):
                return str(person["id"])
        raise NotThere(f"nobody is called {name!r}")

    def _channel_id(self, name: str) -> str:
        wanted = name.removeprefix("#")
        for channel in self._state()["channels"]:
            if wanted in (channel["id"], channel["name"]):
                return str(channel["id"])
        raise NotThere(f"no channel is called {name!r}")

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._address.get(f"/sandbox/state?person={self.id}")
        return state

    def _do(self, do: str, **about: Any) -> ClientOutcome:
        body = self._post(do, **about)
        if self._answered is not None:
            self._answered()
            state = self._state()
            fresh = [one for one in state["messages"] if one["number"] > body["before"]]
            body |= {"messages": fresh, "modal": state["modals"][-1] if state["modals"] else None}
        return ClientOutcome.read(body)

    def _post(self, do: str, **about: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._address.post(
            f"/sandbox/people/{self.id}/do", {"do": do, **about}
        )
        return answer


def _rich_text(text: str) -> dict[str, Any]:
    """As Slack makes it of typed text: mailboxes become links."""
    parts = filter(None, _MAILBOX.split(text))
    elements = [
        {"type": "link", "url": f"mailto:{part}", "text": part}
        if _MAILBOX.fullmatch(part)
        else {"type": "text", "text": part}
        for part in parts
    ]
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": elements}],
    }


_MAILBOX = re.compile(r"([^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+)")


def _again(state: dict[str, Any], place: Surface) -> Surface:
    """The same place as it is now."""
    wanted = place.where
    shown = [
        *(ShownMessage(raw=raw) for raw in state["messages"]),
        *(Modal(raw=raw) for raw in state["modals"]),
        *([Home(raw=state["home"])] if state["home"] else []),
    ]
    for surface in shown:
        if surface.where == wanted:
            return surface
    raise NotThere("it is not on the screen any more")
