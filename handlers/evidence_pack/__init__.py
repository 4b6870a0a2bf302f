"""The evidence pack: what Optin knew of one contact, in files that others can check."""
