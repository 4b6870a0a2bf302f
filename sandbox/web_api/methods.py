"""The methods by name, and the scope that each needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sandbox.first_workspace import APP, BOT, BOT_USER, TEAM, TEAM_NAME
from sandbox.sandbox_errors import ApiRefused
from sandbox.web_api import (
    chat_methods,
    conversation_methods,
    file_methods,
    function_methods,
    unfurl_method,
    user_methods,
    view_methods,
)
from sandbox.web_api.call import ApiCall, Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Any one of `scopes` is enough; `token` is the kind of token that the method takes."""

    do: Method
    scopes: tuple[str, ...] = ()
    token: str = "bot"


def api_test(call: ApiCall) -> dict[str, Any]:
    if error := call.optional("error"):
        raise ApiRefused(error)
    return {"args": {name: value for name, value in call.args.items() if name != "token"}}


def auth_test(call: ApiCall) -> dict[str, Any]:
    return {
        "url": call.base_url + "/",
        "team": TEAM_NAME,
        "user": "optin",
        "team_id": TEAM,
        "user_id": BOT_USER,
        "bot_id": BOT,
        "is_enterprise_install": False,
    }


def bot_info(call: ApiCall) -> dict[str, Any]:
    return {
        "bot": {
            "id": BOT,
            "deleted": False,
            "name": "Optin",
            "updated": 0,
            "app_id": APP,
            "user_id": BOT_USER,
            "icons": {},
        }
    }


def open_connection(call: ApiCall) -> dict[str, Any]:
    if call.socket is None:
        raise ApiRefused("socket_mode_not_enabled")
    base = call.base_url.replace("http", "ws", 1)
    return {"url": f"{base}/link/?ticket={call.socket.ticket()}&app_id={APP}"}


_READ_CHANNELS: Final = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY: Final = ("channels:history", "groups:history", "im:history", "mpim:history")
_OPEN: Final = ("im:write", "mpim:write", "channels:manage", "groups:write")


def _chat(do: Callable[[ApiCall], dict[str, Any]]) -> Known:
    return Known(do=do, scopes=("chat:write",))


METHODS: Final[dict[str, Known]] = {
    "api.test": Known(do=api_test, token="any"),
    "apps.connections.open": Known(do=open_connection, token="app"),
    "auth.test": Known(do=auth_test),
    "bots.info": Known(do=bot_info, scopes=("users:read",)),
    "chat.delete": _chat(chat_methods.delete),
    "chat.postEphemeral": _chat(chat_methods.post_ephemeral),
    "chat.postMessage": _chat(chat_methods.post_message),
    "chat.unfurl": Known(do=unfurl_method.unfurl, scopes=("links:write",)),
    "chat.update": _chat(chat_methods.update),
    "conversations.history": Known(do=conversation_methods.history, scopes=_HISTORY),
    "conversations.info": Known(do=conversation_methods.info, scopes=_READ_CHANNELS),
    "conversations.join": Known(do=conversation_methods.join, scopes=("channels:join",)),
    "conversations.list": Known(do=conversation_methods.list_, scopes=_READ_CHANNELS),
    "conversations.members": Known(do=conversation_methods.members, scopes=_READ_CHANNELS),
    "conversations.open": Known(do=conversation_methods.open_, scopes=_OPEN),
    "conversations.replies": Known(do=conversation_methods.replies, scopes=_HISTORY),
    "files.completeUploadExternal": Known(do=file_methods.complete_upload, scopes=("files:write",)),
    "files.info": Known(do=file_methods.info, scopes=("files:read",)),
    "files.getUploadURLExternal": Known(do=file_methods.get_upload_url, scopes=("files:write",)),
    "functions.completeError": Known(do=function_methods.complete_error),
    "functions.completeSuccess": Known(do=function_methods.complete_success),
    "reactions.add": Known(do=chat_methods.add_reaction, scopes=("reactions:write",)),
    "team.info": Known(do=user_methods.team, scopes=("team:read",)),
    "usergroups.list": Known(do=user_methods.list_groups, scopes=("usergroups:read",)),
    "usergroups.users.list": Known(do=user_methods.list_group_users, scopes=("usergroups:read",)),
    "users.info": Known(do=user_methods.info, scopes=("users:read",)),
    "users.list": Known(do=user_methods.list_, scopes=("users:read",)),
    "views.open": Known(do=view_methods.open_),
    "views.publish": Known(do=view_methods.publish),
    "views.push": Known(do=view_methods.push),
    "views.update": Known(do=view_methods.update),
}

# Without a manifest the app may do all of this. Not chat:write.public: an app that is not in a
# channel should find that out here.
ALL_SCOPES: Final = frozenset(
    {scope for known in METHODS.values() for scope in known.scopes}
    | {"commands", "files:read", "app_mentions:read", "users:read.email", "links:read"}
)
