"""Witnesses outside the storage, to which the head of the Activity Log is published."""
