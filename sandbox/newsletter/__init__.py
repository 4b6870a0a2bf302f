"""The company's newsletter: a system that sends, asks Optin first, and follows Optin's webhooks."""
