"""The API: other systems of the company ask, follow and tell Optin by HTTP."""
