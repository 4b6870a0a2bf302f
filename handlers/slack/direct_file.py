"""A file in somebody's direct messages with Optin.

Slack's third step shares the file and can't be taken back: it is made once, and where its answer is
lost, nobody knows whether the file is there.
https://docs.slack.dev/messaging/working-with-files/#upload
"""

from __future__ import annotations

from urllib.request import Request, urlopen

from slack_sdk import WebClient

from handlers.slack.alerts.slack_errors import CALL_FAILED, slack_failure

#: Seconds for one of Slack's answers: nobody waits for it.
_PATIENCE = 10


def patient(client: WebClient) -> WebClient:
    """With time, and without the SDK's repeating."""
    return WebClient(
        token=client.token,
        base_url=client.base_url,
        timeout=_PATIENCE,
        ssl=client.ssl,
        proxy=client.proxy,
        retry_handlers=[],
    )


def uploaded(client: WebClient, name: str, content: bytes) -> str:
    """Slack's id of a file that nobody sees yet."""
    place = client.files_getUploadURLExternal(filename=name, length=len(content))
    request = Request(str(place["upload_url"]), data=content, method="POST")  # noqa: S310 - Slack's own
    request.add_header("Content-Type", "application/octet-stream")
    with urlopen(request, timeout=_PATIENCE, context=client.ssl) as answer:  # noqa: S310 - the same
        answer.read()
    return str(place["file_id"])


def direct_messages(client: WebClient, user: str) -> str:
    """The Slack channel of this person's direct messages with Optin."""
    return str(client.conversations_open(users=user)["channel"]["id"])


def share(client: WebClient, file: str, slack_channel: str, *, title: str, comment: str) -> None:
    """Shows the file there. Raises `CALL_FAILED`."""
    client.files_completeUploadExternal(
        files=[{"id": file, "title": title}], channel_id=slack_channel, initial_comment=comment
    )


def has_arrived(client: WebClient, file: str) -> bool | None:
    """Whether Slack shows the file to somebody; None where it does not say."""
    try:
        found = client.files_info(file=file)["file"]
    except CALL_FAILED as error:
        word = slack_failure(error).word
        return False if word in ("file_not_found", "file_deleted") else None
    return any(found.get(name) for name in ("ims", "channels", "groups", "shares"))
