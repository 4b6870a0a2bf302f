"""Decides: the words, the rules, the use cases and the storage interface of consent.

Imports the standard library, and phonenumbers for reading numbers. Touches no clock, network,
database or environment: what it needs of these is handed to it.
"""
