"""Imports in Slack: a manager uploads a file, looks at what it would bring, and presses Import."""
