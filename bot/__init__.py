"""The wiring: settings, the application and the command line. The rules are in `bot.consent`."""
