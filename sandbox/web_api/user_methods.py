"""users.*, usergroups.* and team.info."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.first_workspace import BOT, TEAM, TEAM_DOMAIN, TEAM_NAME, Group, SlackPerson
from sandbox.sandbox_errors import ApiRefused
from sandbox.web_api.call import ApiCall


def info(call: ApiCall) -> dict[str, Any]:
    return {"user": _user(call, call.person())}


def list_(call: ApiCall) -> dict[str, Any]:
    page, cursor = call.page([_user(call, person) for person in call.world.people.values()])
    return {"members": page, "cache_ts": call.world.now(), **cursor}


def list_groups(call: ApiCall) -> dict[str, Any]:
    with_users = call.flag("include_users")
    return {"usergroups": [_group(group, with_users) for group in call.world.groups.values()]}


def list_group_users(call: ApiCall) -> dict[str, Any]:
    group = call.world.groups.get(call.text("usergroup"))
    if group is None or (group.disabled and not call.flag("include_disabled")):
        raise ApiRefused("no_such_subteam")
    return {"users": list(group.people)}


def team(call: ApiCall) -> dict[str, Any]:
    return {
        "team": {
            "id": TEAM,
            "name": TEAM_NAME,
            "domain": TEAM_DOMAIN,
            "url": call.base_url + "/",
            "email_domain": "acme-support.example",
            "icon": {"image_default": True},
        }
    }


def _user(call: ApiCall, person: SlackPerson) -> dict[str, Any]:
    offset = datetime.now(UTC).astimezone(ZoneInfo(person.zone)).utcoffset()
    first, _, last = person.name.partition(" ")
    profile: dict[str, Any] = {
        "title": person.title,
        "phone": "",
        "real_name": person.name,
        "real_name_normalized": person.name,
        "display_name": person.handle,
        "display_name_normalized": person.handle,
        "first_name": first,
        "last_name": last,
        "status_text": "",
        "status_emoji": "",
        "team": person.team,
    }
    if person.is_bot:
        profile["bot_id"] = BOT
    elif "users:read.email" in call.scopes:
        profile["email"] = person.email
    told: dict[str, Any] = {
        "id": person.id,
        "team_id": person.team,
        "name": person.handle,
        "deleted": person.deleted,
        "real_name": person.name,
        "tz": person.zone,
        "tz_label": person.zone,
        "tz_offset": int(offset.total_seconds()) if offset else 0,
        "profile": profile,
        "is_admin": person.is_admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": person.is_guest,
        "is_ultra_restricted": person.is_guest,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "updated": 0,
        "is_email_confirmed": True,
    }
    if person.is_stranger:  # Slack leaves the field out for one's own people
        told["is_stranger"] = True
    return told


def _group(group: Group, with_users: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": group.id,
        "team_id": TEAM,
        "is_usergroup": True,
        "name": group.name,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": 0,
        "date_update": 0,
        "date_delete": 0,
        "user_count": len(group.people),
    }
    return {**told, "users": list(group.people)} if with_users else told
