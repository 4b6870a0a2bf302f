"""Messages, modals and App Homes as a person has them before their eyes, and what is in them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.block_kit.fields import STATE, Values, elements

Control = tuple[dict[str, Any], dict[str, Any]]
"""A block and an element in it."""


class NotThere(LookupError):
    """What was to be pressed or filled in is not on the screen; the text says what is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """`raw` is what the server says of it; `plain` everything that one would read."""

    raw: dict[str, Any]

    @property
    def blocks(self) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = self.raw["blocks"]
        return blocks

    @property
    def plain(self) -> str:
        return str(self.raw["plain"])

    @property
    def values(self) -> Values:
        values: Values = self.raw["values"]
        return values

    @property
    def where(self) -> dict[str, str]:
        """How a request names this place."""
        return {"view": self.raw["id"]}

    @property
    def buttons(self) -> list[str]:
        return [element["text"]["text"] for _, element in self._all("button")]

    @property
    def fields(self) -> dict[str, Any]:
        """Label -> what the field holds: a text, the text of an option, a list of these."""
        return {
            label_of(block, element): readable(
                self.values.get(block["block_id"], {}).get(element["action_id"])
            )
            for block, element in elements(self.blocks)
            if element["type"] in STATE
        }

    def button(self, name: str) -> Control:
        """By action_id, by its text, or by a part of it. Raises NotThere."""
        return _find(
            list(self._all("button", "workflow_button")),
            name,
            lambda control: control[1]["text"]["text"],
            "button",
        )

    def field(self, name: str) -> Control:
        """By action_id, by its label, or by a part of it. Raises NotThere."""
        return _find(
            [control for control in elements(self.blocks) if control[1]["type"] in STATE],
            name,
            lambda control: label_of(*control),
            "field",
        )

    def overflow_item(self, name: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """The block, the menu and the option. Raises NotThere."""
        items = [
            (block, element, option)
            for block, element in self._all("overflow")
            for option in element["options"]
        ]
        for block, element, option in items:
            if name in (option["text"]["text"], option["value"]):
                return block, element, option
        for block, element, option in items:
            if name.casefold() in option["text"]["text"].casefold():
                return block, element, option
        there = ", ".join(option["text"]["text"] for _, _, option in items)
        raise NotThere(f"no item {name!r} in a menu; there are: {there or 'none'}")

    def _all(self, *kinds: str) -> Iterator[Control]:
        return (control for control in elements(self.blocks) if control[1]["type"] in kinds)


class ShownMessage(Surface):
    """A message in a channel or thread, with who wrote it and whether only one person sees it."""

    __slots__ = ()

    @property
    def blocks(self) -> list[dict[str, Any]]:
        """With what stands below its links."""
        below = (one["blocks"] for one in self.raw["attachments"] if one.get("is_app_unfurl"))
        return [*self.raw["blocks"], *(block for blocks in below for block in blocks)]

    @property
    def text(self) -> str:
        return str(self.raw["text"])

    @property
    def ts(self) -> str:
        return str(self.raw["ts"])

    @property
    def channel(self) -> str:
        return str(self.raw["channel"])

    @property
    def user(self) -> str:
        return str(self.raw["user"])

    @property
    def is_ephemeral(self) -> bool:
        return bool(self.raw["is_ephemeral"])

    @property
    def thread_ts(self) -> str | None:
        thread_ts: str | None = self.raw["thread_ts"]
        return thread_ts

    @property
    def files(self) -> list[dict[str, Any]]:
        files: list[dict[str, Any]] = self.raw["files"]
        return files

    @property
    def metadata(self) -> dict[str, Any] | None:
        metadata: dict[str, Any] | None = self.raw["metadata"]
        return metadata

    @property
    def pings(self) -> list[str]:
        """Whom this message would notify: "@U…", "!channel"."""
        pings: list[str] = self.raw["pings"]
        return pings

    @property
    def where(self) -> dict[str, str]:
        return {"channel": self.channel, "ts": self.ts}


class Home(Surface):
    """The App Home of one person."""

    __slots__ = ()


class Modal(Surface):
    """One modal of a person's stack."""

    __slots__ = ()

    @property
    def id(self) -> str:
        return str(self.raw["id"])

    @property
    def title(self) -> str:
        return str(self.raw["title"]["text"])

    @property
    def callback_id(self) -> str:
        return str(self.raw["callback_id"])

    @property
    def private_metadata(self) -> str:
        return str(self.raw["private_metadata"])

    @property
    def submit_label(self) -> str | None:
        return self.raw["submit"]["text"] if self.raw["submit"] else None

    @property
    def errors(self) -> dict[str, str]:
        """Label -> what stands below that field in red."""
        labels = {
            block["block_id"]: label_of(block, element) for block, element in elements(self.blocks)
        }
        return {labels.get(name, name): text for name, text in self.raw["errors"].items()}


def label_of(block: dict[str, Any], element: dict[str, Any]) -> str:
    """What names a field on the screen."""
    if block["type"] == "input":
        return str(block["label"]["text"])
    if "placeholder" in element:
        return str(element["placeholder"]["text"])
    if block["type"] == "section" and "text" in block:
        return str(block["text"]["text"])
    return str(element["action_id"])


def readable(value: Any) -> Any:
    if isinstance(value, list):
        return [readable(one) for one in value]
    if isinstance(value, dict) and isinstance(value.get("text"), dict):
        return value["text"]["text"]
    return value


def options_of(element: dict[str, Any]) -> list[dict[str, Any]]:
    groups = element.get("option_groups") or []
    return list(element.get("options") or []) + [o for group in groups for o in group["options"]]


def find_option(options: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """By text or value, or by how the text begins. Raises NotThere."""
    for option in options:
        if name in (option["text"]["text"], option["value"]):
            return option
    for option in options:
        if option["text"]["text"].casefold().startswith(name.casefold()):
            return option
    there = ", ".join(option["text"]["text"] for option in options)
    raise NotThere(f"no option {name!r}; there are: {there or 'none'}")


def _find(
    controls: list[Control], name: str, label: Callable[[Control], str], kind: str
) -> Control:
    wanted = name.casefold()
    tests: list[Callable[[Control], bool]] = [
        lambda control: control[1]["action_id"] == name,
        lambda control: label(control).casefold() == wanted,
        lambda control: wanted in label(control).casefold(),
    ]
    for test in tests:
        if found := [control for control in controls if test(control)]:
            return found[0]
    there = ", ".join(label(control) for control in controls)
    raise NotThere(f"no {kind} {name!r}; there are: {there or 'none'}")
