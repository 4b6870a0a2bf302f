"""The app's Home: what one person sees of Optin at a glance, and the managers' settings."""
