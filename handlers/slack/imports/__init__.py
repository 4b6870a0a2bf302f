"""Imports in Slack: a manager uploads a file, reviews what it would change, and presses Import."""
