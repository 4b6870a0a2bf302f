"""Re-opt-in: an opt-out is reversed by two requirements, the contact's UNSTOP and a manager's
approval (rules.md §6)."""
