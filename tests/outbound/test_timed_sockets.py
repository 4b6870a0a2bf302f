"""The sockets beneath the calls to endpoints and providers."""

import fcntl
import resource
import socket
from collections.abc import Iterator

import pytest

from handlers.timed_sockets import can_read

#: Beyond what `select.select` can watch.
HIGH = 1_500


@pytest.fixture
def many_files_allowed() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard <= HIGH:
        pytest.skip(f"this machine allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, HIGH + 10), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files_allowed")
def test_a_socket_is_watched_when_more_than_1024_files_are_open():
    left, right = socket.socketpair()
    high = socket.socket(fileno=fcntl.fcntl(left.fileno(), fcntl.F_DUPFD, HIGH))
    with left, right, high:
        assert high.fileno() >= HIGH
        assert not can_read(high)
        right.send(b"x")
        assert can_read(high)
