"""Settings: read from the environment, checked, and typed."""
