"""The world outside the workspace: contacts with their phones and mailboxes, the carrier between
them and the company, and the providers that tell the app what happened."""
