"""What one would write first: Bolt, stock TinyDB, a STOP stored and told at once. The peer to beat.

python tests/bench/_naive.py PORT FILE CONTACTS SLACK
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

from slack_bolt import App
from slack_sdk import WebClient
from tinydb import Query, TinyDB

TOKEN = "bench-auth-token"
PUBLIC = "https://optin.example.com"
PATH = "/webhooks/twilio/inbound"


def serve(port: int, file: Path, contacts: int, slack: str) -> None:
    """One request at a time: with two, the file breaks."""
    _fill(file, contacts)
    db = TinyDB(file)
    people, log = db.table("contacts"), db.table("log")
    client = WebClient(token="xoxb-sandbox-bot", base_url=slack)
    app = App(client=client, signing_secret="bench-secret", token_verification_enabled=False)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(200)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            form = dict(parse_qsl(body.decode(), keep_blank_values=True))
            signed = PUBLIC + PATH + "".join(name + form[name] for name in sorted(form))
            digest = hmac.digest(TOKEN.encode(), signed.encode(), hashlib.sha1)
            given = self.headers.get("X-Twilio-Signature", "")
            if not hmac.compare_digest(base64.b64encode(digest).decode(), given):
                return self._answer(401)
            if form["Body"].strip().upper() == "STOP":
                people.update({"sms_on": "NO"}, Query().phone == form["From"])
                at = datetime.now(UTC).isoformat()
                log.insert({"at": at, "phone": form["From"], "sms_on": "NO"})
                app.client.chat_postMessage(
                    channel="C0ALERTS01", text=f"{form['From'][-4:]} replied STOP"
                )
            self._answer(200)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    HTTPServer(("127.0.0.1", port), Handler).serve_forever()


def _fill(file: Path, contacts: int) -> None:
    from tests.bench._servers import phone

    people = {
        str(number): {
            "name": f"Contact {number}",
            "phone": phone(number),
            "email": f"contact{number}@example.com",
            "sms_on": "YES",
            "email_on": "YES",
        }
        for number in range(1, contacts + 1)
    }
    file.write_text(json.dumps({"contacts": people}), encoding="utf-8")


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
