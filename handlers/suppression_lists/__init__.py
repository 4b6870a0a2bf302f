"""The providers' suppression lists: reading them, and writing to them."""
