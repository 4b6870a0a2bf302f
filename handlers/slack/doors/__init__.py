"""Ways to a contact beside the command: shortcuts, mentions and direct messages."""
