"""Uploads in Slack's three steps: ask for an address, send the bytes there, say where they go.

https://docs.slack.dev/messaging/working-with-files/#upload
"""

import time
from typing import Any
from urllib.parse import quote

from sandbox.first_workspace import BOT_USER
from sandbox.responses import checked_message
from sandbox.sandbox_errors import ApiRefused
from sandbox.web_api.call import ApiCall
from sandbox.workspace_state import World


def get_upload_url(call: ApiCall) -> dict[str, Any]:
    name, size = call.text("filename"), call.number("length", 0)
    if size <= 0:
        raise ApiRefused("invalid_arguments", ["[ERROR] must be greater than 0: length"])
    id_ = call.world.new_id("F")
    call.world.files[id_] = _file(id_, name, size, call.base_url)
    return {"upload_url": f"{call.base_url}/upload/{id_}", "file_id": id_}


def complete_upload(call: ApiCall) -> dict[str, Any]:
    wanted = call.json("files")
    if not isinstance(wanted, list) or not wanted:
        raise ApiRefused("invalid_arguments", ["[ERROR] missing required field: files"])
    files = [_finished(call.world, entry) for entry in wanted]
    if channel_id := call.optional("channel_id"):
        channel = call.world.channels.get(channel_id)
        if channel is None:
            raise ApiRefused("channel_not_found")
        if BOT_USER not in channel.members:
            raise ApiRefused("not_in_channel")
        blocks = call.json("blocks") or []
        if blocks:
            checked_message({"blocks": blocks})
        for file in files:
            file["ims" if channel.person else "channels"].append(channel.id)
        comment = call.optional("initial_comment") or ""
        call.world.post(
            channel.id,
            BOT_USER,
            comment,
            blocks,
            files=files,
            thread_ts=call.optional("thread_ts"),
        )
    return {"files": files}


def info(call: ApiCall) -> dict[str, Any]:
    file = call.world.files.get(call.text("file"))
    if file is None:
        raise ApiRefused("file_not_found")
    return {"file": file}


def store(world: World, id_: str, content: bytes) -> None:
    """The bytes of one file. Raises Refused when nobody asked for that address, or the size is
    not the one that was told."""
    if id_ not in world.files:
        raise ApiRefused("file_not_found")
    if len(content) != world.files[id_]["size"]:
        raise ApiRefused("file_size_mismatch")
    world.contents[id_] = content


def add_file(world: World, person: str, name: str, content: bytes, base_url: str) -> dict[str, Any]:
    """A file that a person chose in a file_input."""
    id_ = world.new_id("F")
    world.files[id_] = {**_file(id_, name, len(content), base_url), "user": person}
    world.contents[id_] = content
    return world.files[id_]


def _finished(world: World, entry: Any) -> dict[str, Any]:
    id_ = entry.get("id") if isinstance(entry, dict) else None
    if id_ not in world.contents:
        raise ApiRefused("file_not_found")
    if entry.get("title"):
        world.files[id_]["title"] = entry["title"]
    return world.files[id_]


def _file(id_: str, name: str, size: int, base_url: str) -> dict[str, Any]:
    return {
        "id": id_,
        "name": name,
        "title": name,
        "mimetype": "application/octet-stream",
        "filetype": name.rpartition(".")[2].lower(),
        "size": size,
        "created": int(time.time()),
        "user": BOT_USER,
        "channels": [],
        "groups": [],
        "ims": [],
        "url_private": f"{base_url}/files/{id_}/{quote(name)}",
        "url_private_download": f"{base_url}/files/{id_}/download/{quote(name)}",
    }
