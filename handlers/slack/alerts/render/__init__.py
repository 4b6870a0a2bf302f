"""What an alert looks like in Slack: its text, its blocks and its buttons."""
