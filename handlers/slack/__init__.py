"""Slack: the gate in front, the listeners, and the blocks that people see."""
