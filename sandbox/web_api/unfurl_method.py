"""What an app puts below the links of its domains.

https://docs.slack.dev/reference/methods/chat.unfurl
"""

from typing import Any

from sandbox.block_kit.check import check_blocks
from sandbox.sandbox_errors import ApiRefused
from sandbox.shared_links import COMPOSER, POSTED, Unfurls, links_in
from sandbox.web_api.call import ApiCall
from sandbox.workspace_state import Message


def unfurl(call: ApiCall) -> dict[str, Any]:
    unfurl_id, source = call.optional("unfurl_id"), call.optional("source")
    channel, ts = call.optional("channel"), call.optional("ts")
    if unfurl_id or source:
        if source not in (COMPOSER, POSTED):
            raise ApiRefused("invalid_source" if source else "missing_source")
        if unfurl_id is None:
            raise ApiRefused("missing_unfurl_id")
    elif channel is None or ts is None:
        raise ApiRefused("missing_ts" if channel else "missing_channel")
    place = call.links.find(unfurl_id, (channel, ts))
    if place is None:
        raise ApiRefused("invalid_unfurl_id" if unfurl_id else "cannot_find_message")
    unfurls = _unfurls(call)
    links = links_in(place.text) if isinstance(place, Message) else place.links
    if any(url not in links for url in unfurls):
        raise ApiRefused("cannot_unfurl_url")
    call.links.unfurl(place, unfurls)
    return {}


def _unfurls(call: ApiCall) -> Unfurls:
    unfurls = call.json("unfurls")
    if not unfurls:
        raise ApiRefused("missing_unfurls")
    if not isinstance(unfurls, dict) or not all(isinstance(one, dict) for one in unfurls.values()):
        raise ApiRefused("invalid_unfurls_format")
    for url, one in unfurls.items():
        if problems := check_blocks(one.get("blocks") or [], at=f"/unfurls/{url}/blocks"):
            raise ApiRefused("invalid_blocks", problems)
        preview = one.get("preview") or {}
        if not isinstance(preview, dict) or "title" not in (preview or {"title": ""}):
            raise ApiRefused("invalid_unfurls_format")
    return unfurls
