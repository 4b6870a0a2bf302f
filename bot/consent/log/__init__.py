"""The Activity Log: its entries, and what they mean."""
