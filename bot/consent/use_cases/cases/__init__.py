"""Re-opt-in: what a contact refused comes back by two keys, the contact's and a manager's
(rules.md §6). Nothing is imported here: the one door of all changes heeds cases, and they pass
through it."""
