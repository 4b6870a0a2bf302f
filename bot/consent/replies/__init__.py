"""Reading what contacts text back."""

from bot.consent.replies.read_reply import read_reply
from bot.consent.replies.reply import Blocks, Refusal, Reply

__all__ = ["Blocks", "Refusal", "Reply", "read_reply"]
