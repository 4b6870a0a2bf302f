"""Alerts in Slack: how they look, the worker that posts them, and what their buttons do."""
