"""Block Kit as Slack takes it: which blocks there are, where they stand, how long they may be."""
