"""Reacts: to Slack, to the web, to files. Parses, asks `bot.consent`, answers."""
