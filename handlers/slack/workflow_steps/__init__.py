"""Optin's steps for Slack's Workflow Builder."""
