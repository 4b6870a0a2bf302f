"""The providers' webhooks: what a provider says, in Optin's words.

`providers/` has a folder for each provider, `receiver/` takes their requests, and `registry` hands
down what the rest of Optin has to know of them.
"""
