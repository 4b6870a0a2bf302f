"""A time-stamp authority over HTTP, with certificates of its own: `openssl ts` signs."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_CONFIGURATION = """
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = here
[here]
serial = serial
crypto_device = builtin
signer_cert = signer.pem
signer_key = signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@dataclass(slots=True)
class Authority:
    """The running one."""

    url: str
    #: The certificate to be trusted, in a file.
    certificates: Path
    #: What it answers instead of a time stamp.
    instead: bytes | None = None
    #: How often it was asked.
    asked: int = 0


@contextmanager
def timestamp_authority(folder: Path) -> Iterator[Authority]:
    _make_certificates(folder)
    authority = Authority("", folder / "root.pem")

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            authority.asked += 1
            answer = authority.instead or _answer(folder, request)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        authority.url = f"http://127.0.0.1:{server.server_port}/tsa"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield authority
        server.shutdown()


def _make_certificates(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "tsa.cnf").write_text(_CONFIGURATION)
    (folder / "serial").write_text("01\n")
    request = "req -config tsa.cnf -newkey rsa:2048 -nodes"
    _openssl(
        folder,
        f"{request} -x509 -days 30 -subj /CN=Root -extensions root -keyout root.key -out root.pem",
    )
    _openssl(folder, f"{request} -subj /CN=Authority -keyout signer.key -out signer.csr")
    _openssl(
        folder,
        "x509 -req -days 30 -in signer.csr -CA root.pem -CAkey root.key -CAcreateserial "
        "-extfile tsa.cnf -extensions signer -out signer.pem",
    )


def _answer(folder: Path, request: bytes) -> bytes:
    (folder / "request.tsq").write_bytes(request)
    _openssl(
        folder, "ts -reply -config tsa.cnf -section here -queryfile request.tsq -out reply.tsr"
    )
    return (folder / "reply.tsr").read_bytes()


def _openssl(folder: Path, arguments: str) -> None:
    command = ["openssl", *arguments.split()]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
