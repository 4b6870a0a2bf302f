"""The address of a contact's page in the company's CRM (`OPTIN_CRM_URL`), and ids out of links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

#: Stands where the contact's external id goes.
PLACE = "{external_id}"
#: Characters: Slack's limit for the address of a button.
#: https://docs.slack.dev/reference/block-kit/block-elements/button-element/
LONGEST_PAGE = 3_000
#: Of a link that is read, and of the id in it.
_LONGEST_LINK, _LONGEST_ID = 4_000, 500
_SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmLink:
    """`template` has `PLACE` once, behind the host: `check_template`."""

    template: str

    @property
    def host(self) -> str:
        """The domain that links lead to, in lower case, without a port."""
        return urlsplit(self.template).hostname or ""

    def page(self, external_id: str) -> str | None:
        """The page of this contact; None without an id, or where the address gets too long."""
        if not external_id:
            return None
        try:
            address = self.template.replace(PLACE, quote(external_id, safe=""))
        except UnicodeEncodeError:
            return None
        return address if len(address) <= LONGEST_PAGE else None

    def external_id(self, link: str) -> str | None:
        """The id in a link to a contact's page; None where the link leads anywhere else."""
        if len(link) > _LONGEST_LINK:
            return None
        try:
            ours, theirs = urlsplit(self.template), urlsplit(link)
            if not _same_site(ours, theirs):
                return None
            found = _behind_host(ours).fullmatch(_rest(theirs, like=ours))
            id = unquote(found["id"], errors="strict") if found else ""
        except ValueError:
            return None
        return id if 0 < len(id) <= _LONGEST_ID else None


def check_template(text: str) -> None:
    """Raises `ValueError` where this can't be the address of every contact's page."""
    parts = urlsplit(text)  # raises it, too
    behind = parts.path + parts.query + parts.fragment
    if (
        parts.scheme not in _SCHEMES
        or not parts.hostname
        or parts.port == 0
        or parts.username is not None
        or behind.count(PLACE) != 1
        or re.search(r"[{}\s]", text.replace(PLACE, "", 1))
        or not text.isprintable()
    ):
        raise ValueError


def _same_site(ours: SplitResult, theirs: SplitResult) -> bool:
    """The scheme does not matter: people paste both."""
    return (
        theirs.scheme in _SCHEMES
        and theirs.username is None
        and (theirs.hostname, _port(theirs)) == (ours.hostname, _port(ours))
    )


def _port(parts: SplitResult) -> int | None:
    usual = {"http": 80, "https": 443}[parts.scheme]
    return parts.port if parts.port != usual else None


def _rest(parts: SplitResult, *, like: SplitResult) -> str:
    """What stands behind the host. A query and a fragment that the template lacks are left out:
    they say how the page was found, and not whose it is."""
    path = parts.path if like.path.endswith("/") else parts.path.removesuffix("/")
    query = f"?{parts.query}" if like.query else ""
    return path + query + (f"#{parts.fragment}" if like.fragment else "")


def _behind_host(parts: SplitResult) -> re.Pattern[str]:
    rest = _rest(parts, like=parts)
    before, _, after = rest.partition(PLACE)
    return re.compile(f"{re.escape(before)}(?P<id>[^/?#&]+){re.escape(after)}")
