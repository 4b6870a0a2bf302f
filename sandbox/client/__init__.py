"""People of the workspace, for tests: they act over HTTP as the page does.

with Workspace.start(mode="http", request_url=…) as ws:
    ana = ws.person("Ana")
    outcome = ana.command("/optin +1 415 555 0100", channel="#support")
    ana.press("Edit", in_=outcome.messages[0])
    ana.choose("SMS On", "NO")
    ana.submit()
    ws.outside(webhooks="http://127.0.0.1:3000", people=[…], …)
    ws.contact("Grace Lee").text("STOP", to="+18885550199")
"""

from sandbox.client.action_outcome import ClientOutcome
from sandbox.client.contact_client import ContactClient, Told
from sandbox.client.person_client import PersonClient
from sandbox.client.shown import Home, Modal, NotThere, ShownMessage
from sandbox.client.workspace_client import Workspace

__all__ = [
    "ClientOutcome",
    "ContactClient",
    "Home",
    "Modal",
    "NotThere",
    "PersonClient",
    "ShownMessage",
    "Told",
    "Workspace",
]
