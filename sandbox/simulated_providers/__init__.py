"""The simulated world outside Slack: contacts with phones and mailboxes, the carrier, and the
providers that call the app's webhooks."""
