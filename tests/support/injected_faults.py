"""Faults of the machine, brought about from outside: system calls that fail or are slow, full disks,
libraries that are loaded before all others."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_SOURCES = Path(__file__).parent
needs_gcc = pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")
needs_strace = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")


@contextmanager
def failing_calls(pid: int, calls: str, fault: str) -> Iterator[None]:
    """These system calls of the process fail until the block ends: `calls` as in "fdatasync,fsync",
    `fault` as in "error=EIO" or "error=EIO:when=1" (strace(1), under Tampering)."""
    command = ["strace", "-f", "-o", "/dev/null", "-p", str(pid), "-e", f"trace={calls}"]
    with subprocess.Popen(
        [*command, "-e", f"inject={calls}:{fault}"], stderr=subprocess.PIPE, text=True
    ) as strace:
        assert strace.stderr
        first = strace.stderr.readline()
        if "attached" not in first:
            strace.terminate()
            pytest.skip("strace may not trace here")
        try:
            yield
        finally:
            strace.terminate()


def preloaded(source: str, folder: Path) -> Path:
    """The library made of this file beside, for `LD_PRELOAD`."""
    made = folder / f"{source}.so"
    command = ["gcc", "-shared", "-fPIC", "-O1", "-o", made, _SOURCES / source, "-ldl"]
    subprocess.run(command, check=True)
    return made


@contextmanager
def small_file_system(folder: Path, size: str) -> Iterator[None]:
    """A file system of this size over the folder; only root can mount one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
