"""A provider's suppression lists, as its own console shows them."""

from typing import Any
from urllib.parse import quote

from sandbox.client.http_client import Address


class ListsClient:
    """Of one provider, such as sendgrid. Times are seconds since 1970."""

    def __init__(self, address: Address, provider: str) -> None:
        self.provider = provider
        #: For OPTIN_<PROVIDER>_API_URL.
        self.url = f"{address.url}/lists/{provider}"
        self._address = address

    def settle(self, **settings: Any) -> None:
        """keys, rate, delay, entries, generate, remove, clear, reset_calls and what the provider
        has besides, as `sandbox.simulated_lists.all_lists` reads them. Raises Impossible."""
        self._address.post(f"/sandbox/lists/{self.provider}", settings)

    def add(self, list_: str, *addresses: str, at: float | None = None, **facts: Any) -> None:
        """Puts them on the list, as the provider itself does; at this time, or now."""
        entries = [{"list": list_, "address": one, "at": at, **facts} for one in addresses]
        self.settle(entries=entries)

    def remove(self, list_: str, *addresses: str) -> None:
        """Takes them off, as somebody does in the provider's console."""
        self.settle(remove=[{"list": list_, "address": one} for one in addresses])

    def generate(self, list_: str, count: int, address: str = "contact{}@example.com") -> None:
        """So many entries; {} is their number, from 1."""
        self.settle(generate={"list": list_, "count": count, "address": address})

    def entries(self, address: str = "") -> list[dict[str, Any]]:
        """Each has list, address, at and the provider's words. Without an address: all of them."""
        entries: list[dict[str, Any]] = self._seen(address)["entries"]
        return entries

    def holds(self, list_: str, address: str) -> bool:
        return any(entry["list"] == list_ for entry in self.entries(address))

    def count(self, list_: str) -> int:
        """How many entries the list has."""
        return int(self._summary()["lists"][list_])

    def calls(self, kind: str, address: str = "") -> int:
        """How often the app asked: list, find, add, remove, empty, other. With an address, about
        that one."""
        if not address:
            return int(self._summary()["calls"][kind])
        return int(self._seen(address)["calls_about"][kind].get(address.casefold(), 0))

    def calls_about(self, kind: str) -> dict[str, int]:
        """The same of each address that the app asked about, in lower case."""
        calls: dict[str, int] = self._seen("")["calls_about"][kind]
        return calls

    @property
    def statuses(self) -> dict[str, int]:
        """How often it answered with which status, such as "404"."""
        statuses: dict[str, int] = self._summary()["statuses"]
        return statuses

    @property
    def emptied(self) -> int:
        """How often the app deleted a list as a whole, or tried to. Must be 0."""
        return int(self._summary()["emptied"])

    def _summary(self) -> dict[str, Any]:
        summary: dict[str, Any] = self._address.get("/sandbox/lists")[self.provider]
        return summary

    def _seen(self, address: str) -> dict[str, Any]:
        path = f"/sandbox/lists/{self.provider}?address={quote(address)}"
        seen: dict[str, Any] = self._address.get(path)
        return seen
