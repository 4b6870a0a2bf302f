"""What a person does: commands, clicks, fields, messages. Each act ends in what came of it."""

import re
from typing import Any, Final

from sandbox import mrkdwn
from sandbox.block_kit.check import check_options
from sandbox.block_kit.fields import MULTIPLE, STATE, find
from sandbox.delivery import payloads
from sandbox.delivery.answer import AppResponse
from sandbox.first_workspace import BOT_USER, SlackChannel, SlackPerson
from sandbox.page_api.outcome import ActionOutcome
from sandbox.responses import WebResponse, answer
from sandbox.sandbox_errors import ApiRefused, Impossible
from sandbox.shared_links import URL
from sandbox.view_stack import describe
from sandbox.workflows.step_runs import event_of
from sandbox.workspace_context import Room
from sandbox.workspace_state import Message, View

CONNECTING: Final = "We had some trouble connecting. Try again?"
_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE: Final = re.compile(r"\+\d[\d ()-]{6,}\d")


async def run_command(
    room: Room, person: SlackPerson, channel: SlackChannel, typed: str
) -> ActionOutcome:
    """`typed` is the whole line: "/optin +1 415 …"."""
    name, _, text = typed.strip().partition(" ")
    known = next((c for c in room.manifest.commands if c.name == name), None)
    if known is None:
        raise Impossible(f"{name} is not a valid command.")
    _may_write(person, channel)
    text = _linked(text.strip()) if known.escapes else mrkdwn.escape(text.strip())
    reply = WebResponse(person=person.id, channel=channel.id, at=room.world.clock())
    payload = payloads.command(
        room.world, person, channel, name, text, room.replies.url("commands", reply)
    )
    told = await room.link.send("slash_commands", payload, name)
    if told.error:
        return _failed_command(room, person, channel, name, told.error, told)
    if told.body:
        try:
            answer(room.world, reply, told.body)
        except ApiRefused as refused:
            _journal_refusal(room, refused)
            return _failed_command(room, person, channel, name, refused.error, told)
    return ActionOutcome.of(told)


async def say(
    room: Room, person: SlackPerson, channel: SlackChannel, text: str, thread_ts: str | None = None
) -> ActionOutcome:
    """The app hears of a mention where it is in the channel, and of direct messages where its
    manifest has them."""
    _may_write(person, channel)
    if channel.person and not room.manifest.messages:
        raise Impossible("Sending messages to this app has been turned off.")
    if thread_ts and thread_ts not in room.world.messages[channel.id]:
        raise Impossible("This thread is not there any more.")
    marked = _mentions(room, _linked(text))
    message = room.world.post(channel.id, person.id, marked, thread_ts=thread_ts)
    if "link_shared" in room.manifest.events:
        linked = room.links.posted(person, channel, message, room.manifest.domains)
        if linked:
            await room.link.event({**linked, "event_ts": message.ts})
    event = {
        **payloads.describe_message(message),
        "channel": channel.id,
        "event_ts": message.ts,
        "team": person.team,
    }
    if channel.person:
        if "message.im" not in room.manifest.events:
            return ActionOutcome()
        event |= {"type": "message", "channel_type": "im"}
    elif f"@{BOT_USER}" in message.pings and BOT_USER in channel.members:
        if "app_mention" not in room.manifest.events:
            return ActionOutcome()
        event |= {"type": "app_mention"}
    else:
        return ActionOutcome()
    return ActionOutcome.unnoticed(await room.link.event(event))


async def write(room: Room, person: SlackPerson, channel: SlackChannel, text: str) -> ActionOutcome:
    """`text` stands in the composer now. The app hears of links to its domains."""
    if "link_shared" not in room.manifest.events:
        return ActionOutcome()
    event = room.links.typed(person, channel, text, room.manifest.domains)
    if event is None:
        return ActionOutcome()
    told = await room.link.event(
        {**event, "event_ts": room.world.new_ts()}, shared=channel.shared or channel.pending
    )
    return ActionOutcome.unnoticed(told)


async def act(
    room: Room,
    person: SlackPerson,
    place: View | Message,
    block_id: str,
    action_id: str,
    value: Any,
) -> ActionOutcome:
    """A click on a button, an item of an overflow menu, or a field that now holds `value`."""
    attachment = place.unfurl_with(block_id) if isinstance(place, Message) else None
    blocks = attachment["blocks"] if attachment else place.blocks
    found = find(blocks, block_id, action_id)
    if found is None:
        raise Impossible(f"There is no {action_id} in {block_id}.")
    block, element = found
    kind = element["type"]
    if kind in STATE:
        place.values.setdefault(block_id, {})[action_id] = value
    if block["type"] == "input" and not block.get("dispatch_action"):
        return ActionOutcome()
    action = {"action_id": action_id, "block_id": block_id, "type": kind, **_did(element, value)}
    if isinstance(place, View):
        payload = payloads.view_action(room.world, person, place, action)
    else:
        payload = payloads.message_action(
            room.world, person, place, action, _reply_url(room, person, place)
        )
        if attachment:
            payload |= payloads.in_attachment(place, attachment)
    told = await room.link.send("interactive", payload, f"block_actions {action_id}")
    return ActionOutcome.of(told)


async def suggest(
    room: Room,
    person: SlackPerson,
    place: View | Message,
    block_id: str,
    action_id: str,
    typed: str,
) -> list[dict[str, Any]]:
    """Options, or groups of options, for what was typed so far."""
    found = find(place.blocks, block_id, action_id)
    if found is None or not found[1]["type"].endswith("external_select"):
        raise Impossible(f"There is no such select as {action_id} in {block_id}.")
    payload = payloads.suggestion(room.world, person, place, found[1], block_id, typed)
    told = await room.link.send("interactive", payload, f"block_suggestion {action_id}")
    if told.error:
        raise Impossible("The options could not be loaded.")
    if problems := check_options(told.body):
        _journal_refusal(room, ApiRefused("invalid_arguments", problems))
        raise Impossible("The options could not be loaded.")
    options: list[dict[str, Any]] = told.body.get("options") or told.body.get("option_groups") or []
    return options


async def open_home(room: Room, person: SlackPerson, tab: str = "home") -> ActionOutcome:
    if tab == "home" and not room.manifest.home:
        raise Impossible("This app has no Home.")
    if "app_home_opened" not in room.manifest.events:
        return ActionOutcome()
    event: dict[str, Any] = {
        "type": "app_home_opened",
        "user": person.id,
        "channel": room.world.direct(person.id).id,
        "tab": tab,
        "event_ts": room.world.new_ts(),
    }
    home = room.world.homes.get(person.id)
    if home and tab == "home":
        event["view"] = describe(home)
    return ActionOutcome.unnoticed(await room.link.event(event))


async def use_shortcut(
    room: Room, person: SlackPerson, callback_id: str, message: Message | None
) -> ActionOutcome:
    kind = "message" if message else "global"
    offered = {(shortcut.callback_id, shortcut.kind) for shortcut in room.manifest.shortcuts}
    if (callback_id, kind) not in offered:
        raise Impossible(f"There is no {kind} shortcut {callback_id}.")
    if message:
        url = _reply_url(room, person, message)
        payload = payloads.message_shortcut(room.world, person, message, callback_id, url)
    else:
        payload = payloads.global_shortcut(room.world, person, callback_id)
    return ActionOutcome.of(await room.link.send("interactive", payload, f"shortcut {callback_id}"))


async def run_step(
    room: Room, person: SlackPerson, callback_id: str, inputs: dict[str, Any]
) -> ActionOutcome:
    """Runs a workflow that has this step alone."""
    step = next((one for one in room.manifest.steps if one.callback_id == callback_id), None)
    if step is None:
        raise Impossible(f"There is no step {callback_id}.")
    run = room.steps.start(step, person.id, inputs)
    return ActionOutcome.unnoticed(await room.link.event(event_of(run, room.world.new_ts())))


def _may_write(person: SlackPerson, channel: SlackChannel) -> None:
    if person.id not in channel.members:
        raise Impossible(f"{person.name} is not in #{channel.name}.")
    if channel.archived:
        raise Impossible(f"#{channel.name} is archived.")


def _reply_url(room: Room, person: SlackPerson, message: Message) -> str:
    reply = WebResponse(
        person=person.id, channel=message.channel, at=room.world.clock(), message=message
    )
    return room.replies.url("actions", reply)


def _failed_command(
    room: Room, person: SlackPerson, channel: SlackChannel, name: str, error: str, told: AppResponse
) -> ActionOutcome:
    notice = f'{name} failed with the error "{error}"'
    room.world.changed("notice", person=person.id, channel=channel.id, text=notice)
    return ActionOutcome(error=error, notice=notice, ms=told.ms, timed_out=told.timed_out)


def _journal_refusal(room: Room, refused: ApiRefused) -> None:
    line = room.journal.lines[-1]
    line.outcome, line.messages = refused.error, refused.messages


def _did(element: dict[str, Any], value: Any) -> dict[str, Any]:
    """The part of an action that says what was chosen."""
    kind = element["type"]
    if kind in STATE:
        told = {STATE[kind][0]: value}
        first = element.get(STATE[kind][1])
        return told | ({STATE[kind][1]: first} if first and kind not in MULTIPLE else {})
    if kind == "overflow":
        chosen = next((o for o in element["options"] if o["value"] == value), None)
        if chosen is None:
            raise Impossible(f"There is no {value} in this menu.")
        return {"selected_option": chosen}
    if kind == "feedback_buttons":
        return {"value": value}
    kept = ("text", "value", "style", "url", "confirm")
    return {name: element[name] for name in kept if name in element}


def _linked(text: str) -> str:
    """As Slack escapes what people write: addresses and numbers become links."""
    parts = URL.split(text)
    return "".join(
        f"<{mrkdwn.escape(part)}>" if index % 2 else _without_links(part)
        for index, part in enumerate(parts)
    )


def _without_links(text: str) -> str:
    text = mrkdwn.escape(text)
    text = _EMAIL.sub(lambda found: f"<mailto:{found[0]}|{found[0]}>", text)
    return _PHONE.sub(lambda found: f"<tel:+{re.sub(r'[^0-9]', '', found[0])}|{found[0]}>", text)


def _mentions(room: Room, text: str) -> str:
    """`@optin` as a person types it becomes `<@U…>`."""

    def mention(found: re.Match[str]) -> str:
        person = room.world.person(found[1])
        return f"<@{person.id}>" if person else found[0]

    return re.sub(r"(?<![\w.])@(\w+)", mention, text)
