"""What the simulated list APIs have in common: keys, pace, counters, writes that show late."""

from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from sandbox.sandbox_errors import Impossible
from sandbox.simulated_lists.entry_list import EntryList, ListedEntry, StrangersList
from sandbox.simulated_lists.list_call import CallKind, ListAnswer, ListCall, ListRefusal

#: In the place of scopes: the key may do everything.
EVERYTHING: Final = "*"
_FOREIGN: Final = 3


class SimulatedListApi(ABC):
    """One provider's account. What its documentation leaves open is the stricter of the two."""

    #: As in /lists/<name>/… and OPTIN_<NAME>_API_URL.
    name: ClassVar[str]
    #: The key that is good without further settings.
    first_key: ClassVar[str]
    #: The lists that are there from the beginning.
    first_lists: ClassVar[tuple[str, ...]]
    #: Calls in so many seconds, before it says 429; None for any number.
    first_rate: ClassVar[tuple[int, float] | None] = None
    #: How long a write takes until it shows.
    first_delay: ClassVar[float] = 0.0
    #: Whether entries of one address in another case are different entries.
    exact: ClassVar[bool] = False

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """As it is at the beginning, with no entries."""
        self.keys: dict[str, frozenset[str]] = {self.first_key: frozenset({EVERYTHING})}
        self.lists = {name: EntryList(exact=self.exact) for name in self.first_lists}
        self.rate, self.delay = self.first_rate, self.first_delay
        self.calls: Counter[tuple[CallKind, str]] = Counter()
        self.statuses: Counter[int] = Counter()
        #: How many list-wide deletes there were: no correct program makes one.
        self.emptied = 0
        #: Addresses that the next so many writes fail for, while those beside them succeed.
        self.failing: dict[str, int] = {}
        self._late: deque[tuple[float, Callable[[], object]]] = deque()
        self._paced: deque[float] = deque()

    def answer(self, call: ListCall) -> ListAnswer:
        """Counts the call, and does it."""
        self.settle(call.now)
        try:
            self._keep_pace(call)
            answer = self.do(call)
        except ListRefusal as refusal:
            answer = replace(
                self.refuse(refusal), kind=refusal.kind, addresses=tuple(refusal.addresses)
            )
        self.count(answer)
        return answer

    def count(self, answer: ListAnswer) -> None:
        self.statuses[answer.status] += 1
        self.calls.update((answer.kind, one.casefold()) for one in answer.addresses or ("",))
        self.emptied += answer.kind is CallKind.EMPTY

    @abstractmethod
    def do(self, call: ListCall) -> ListAnswer:
        """Raises ListRefusal."""

    @abstractmethod
    def refuse(self, refusal: ListRefusal) -> ListAnswer:
        """The refusal in the provider's own form."""

    def slow_down(self, seconds: int) -> ListAnswer:
        """429, as this provider says it."""
        answer = self.refuse(ListRefusal(429, "too many requests"))
        return answer.with_headers({"Retry-After": str(seconds)})

    def listed(self, name: str) -> EntryList:
        """Raises Impossible where the provider has no such list."""
        try:
            return self.lists[name]
        except KeyError:
            raise Impossible(f"{self.name} has no list {name}.") from None

    def entries(self, address: str = "") -> Iterator[tuple[str, ListedEntry]]:
        """What stands on which list, of one address or of all."""
        for name, listed in self.lists.items():
            if not address:
                yield from ((name, entry) for entry in listed)
            elif self.exact:
                same = (one for one in listed if one.address.casefold() == address.casefold())
                yield from ((name, entry) for entry in same)
            elif entry := listed.get(address):
                yield name, entry

    def fails(self, address: str) -> bool:
        """Whether a test wants the write of this address to fail, counted down."""
        left = self.failing.get(address, 0)
        self.failing[address] = max(0, left - 1)
        return left > 0

    def settings(self, body: Mapping[str, Any]) -> None:
        """Reads what only this provider has, before the entries are loaded."""
        return

    def foreign(self, now: float) -> "SimulatedListApi":
        """Somebody else's account: nothing on its lists is ours, and whatever address is asked for,
        the entry of another one comes back."""
        other = type(self)()
        other.keys, other.rate = self.keys, None
        for name in self.lists:
            listed = other.lists[name] = StrangersList(exact=self.exact)
            listed.load(
                ListedEntry(address=f"stranger{number}@elsewhere.example", at=now - number)
                for number in range(_FOREIGN)
            )
        return other

    def later(self, now: float, act: Callable[[], object]) -> None:
        """Does it once the delay is over."""
        self._late.append((now + self.delay, act))
        self.settle(now)

    def settle(self, now: float) -> None:
        """Lets show what is due."""
        while self._late and self._late[0][0] <= now:
            self._late.popleft()[1]()

    def _keep_pace(self, call: ListCall) -> None:
        if self.rate is None:
            return
        most, seconds = self.rate
        while self._paced and self._paced[0] <= call.now - seconds:
            self._paced.popleft()
        if len(self._paced) >= most:
            raise ListRefusal(429, "too many requests")
        self._paced.append(call.now)


def may(scopes: frozenset[str], wanted: str) -> bool:
    return EVERYTHING in scopes or wanted in scopes


def valid(address: Any) -> bool:
    """Whether the API takes it for an address at all."""
    local, at, domain = address.rpartition("@") if isinstance(address, str) else ("", "", "")
    return bool(local and at and "." in domain) and not set(address) & set(" \t\r\n,<>")
