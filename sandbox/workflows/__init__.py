"""Workflow Builder, as far as an app's own steps need it."""
