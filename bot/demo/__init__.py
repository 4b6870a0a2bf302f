"""`optin demo`: a workspace, the bot and sample contacts, on this machine and nowhere else."""

from bot.demo.run_demo import run

__all__ = ["run"]
