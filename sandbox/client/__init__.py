"""People of the workspace, for tests: they act over HTTP as the page does.

with Workspace.start(mode="http", request_url=…) as ws:
    ana = ws.person("Ana")
    outcome = ana.command("/optin +1 415 555 0100", channel="#support")
    ana.press("Edit", in_=outcome.messages[0])
    ana.choose("SMS On", "NO")
    ana.submit()
"""

from sandbox.client.outcome import Outcome
from sandbox.client.person import Person
from sandbox.client.shown import Home, Message, Modal, NotThere
from sandbox.client.workspace import Workspace

__all__ = ["Home", "Message", "Modal", "NotThere", "Outcome", "Person", "Workspace"]
