"""The providers' suppression lists, as their own documentation describes them: one strict simulated
API for each provider, with its oddities."""
