"""Slack's Web API, as far as the app uses it.

https://docs.slack.dev/reference/methods
"""
