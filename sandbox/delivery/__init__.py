"""From the workspace to the app: signed HTTP requests, or envelopes over Socket Mode."""
