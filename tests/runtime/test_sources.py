"""Where a request comes from, as the limit by source sees it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence

import pytest

from bot.runtime.source_limit import source_of


@pytest.mark.parametrize(
    ("address", "named", "source"),
    [
        ("8.8.8.8", [], "8.8.8.8"),
        ("::ffff:8.8.8.8", [], "::ffff:8.8.8.8"),
        ("2001:4860:1:2:3::9", [], "2001:4860:0001:0002"),
        ("127.0.0.1", [], None),
        ("10.1.2.3", [], None),
        ("::1", [], None),
        ("10.1.2.3", [b"8.8.8.8"], "10.1.2.3 for 8.8.8.8"),
        ("10.1.2.3", [b"1.1.1.1, 8.8.8.8"], "10.1.2.3 for 8.8.8.8"),
        ("10.1.2.3", [b"1.1.1.1", b"8.8.8.8"], "10.1.2.3 for 8.8.8.8"),
        ("10.1.2.3", [b"2001:4860:1:2::3"], "10.1.2.3 for 2001:4860:0001:0002"),
        ("10.1.2.3", [b"x" * 9_000], f"10.1.2.3 for {'x' * 64}"),
        ("10.1.2.3", [b"10.1.2.4"], None),
        ("10.1.2.3", [b"8.8.8.8, 172.17.0.1"], None),
        ("10.1.2.3", [b"100.64.0.1"], None),
        ("10.1.2.3", [b"fd00::1"], None),
        ("8.8.8.8", [b"9.9.9.9"], "8.8.8.8 for 9.9.9.9"),
    ],
)
def test_a_source_is_an_address_and_whom_a_proxy_names(
    address: str, named: Sequence[bytes], source: str | None
) -> None:
    headers = [(b"host", b"x"), *((b"x-forwarded-for", value) for value in named)]

    assert source_of((address, 1), headers) == source


def test_long_names_of_a_sender_take_no_memory() -> None:
    tracemalloc.start()
    try:
        for n in range(500):
            source_of(("8.8.8.8", 1), [(b"x-forwarded-for", b"%d" % n + b"x" * 60_000)])
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert held < 1_000_000
