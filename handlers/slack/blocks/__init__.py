"""Block Kit builders: pure functions from values to blocks, within Slack's limits by
construction. Nothing here fetches, and nothing that a contact wrote is markup here."""
