"""What another program of the company states by the API: contacts, consents with evidence, events,
and requests for re-opt-in.

A program is no person: it may say NO, it fills what was never asked with evidence, and it never
turns NO into YES (rules.md §8.3).
"""
