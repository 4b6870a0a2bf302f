"""What the carrier does with a word that a contact texts, before anybody else reads it.

https://help.twilio.com/articles/223134027 (numbers), and for toll-free ones, where the network
itself blocks: https://help.twilio.com/articles/360058144374
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from sandbox.simulated_providers.config import SimulatedSender


class Word(StrEnum):
    """As Twilio's OptOutType has it."""

    STOP = "STOP"
    START = "START"
    HELP = "HELP"


_STOP: Final = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
_START: Final = {"START", "UNSTOP"}
_HELP: Final = {"HELP", "INFO"}

_BY_TWILIO: Final[Mapping[Word, str]] = {
    Word.STOP: "You have successfully been unsubscribed. You will not receive any more messages "
    "from this number. Reply START to resubscribe.",
    Word.START: "You have successfully been re-subscribed to messages from this number. Reply "
    "HELP for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
    Word.HELP: "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}
_BY_NETWORK: Final[Mapping[Word, str]] = {
    Word.STOP: 'NETWORK MSG: You replied with the word "stop" which blocks all texts sent from '
    'this number. Text back "unstop" to receive messages again.',
    Word.START: 'NETWORK MSG: You have replied "unstop" and will begin receiving messages again '
    "from this number.",
}


def word_of(text: str, sender: SimulatedSender, blocked: bool) -> Word | None:
    """The keyword that the whole text is, if any. "Stop. Thank you" is none."""
    typed = text.strip().upper()
    if typed == "STOP" or (typed in _STOP and not sender.toll_free):
        return Word.STOP
    if typed in _START or (typed == "YES" and blocked and not sender.toll_free):
        return Word.START
    return Word.HELP if typed in _HELP else None


def answer(word: Word, sender: SimulatedSender, blocked: bool) -> str:
    """What the contact's phone shows at once; empty where nothing changes. `blocked` is before."""
    if blocked is (word is Word.STOP) and word is not Word.HELP:
        return ""
    return (_BY_NETWORK if sender.toll_free else _BY_TWILIO).get(word, "")
