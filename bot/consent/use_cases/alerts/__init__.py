"""Alerts: enqueued with the change that causes them, claimed by a worker, settled."""
