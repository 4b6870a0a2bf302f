"""A Slack workspace of our own, in memory: the world of the demo and of the tests.

It speaks Slack's wire formats and refuses what Slack refuses. It imports nothing of the product.
"""
