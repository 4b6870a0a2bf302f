"""What the workspace says no with."""


class ApiRefused(Exception):
    """A Web API call or an answer that Slack would not take: its error code and messages."""

    def __init__(self, error: str, messages: list[str] | None = None, **more: str) -> None:
        super().__init__(error)
        self.error = error
        self.messages = messages or []
        self.more = more


class Impossible(Exception):
    """Something that a person can't do on the page: there is no such button, for instance."""
