"""One-click links for people: a page with one button, and the page after it.

A mail client posts by itself and looks at no page (https://www.rfc-editor.org/rfc/rfc8058). A
person who follows the link sees the button first: scanners follow links too, and must change
nothing. The page says whose it is by the host of OPTIN_PUBLIC_URL, never by the Host header.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from urllib.parse import urlsplit

from bot.consent.parsing import masked
from handlers.webhooks.provider import ExpectedAnswer, Request

#: By language: the question, the button, and what is said when it is done.
_WORDS: Mapping[str, tuple[str, str, str]] = {
    "en": (
        "Stop all e-mail to {mailbox}?",
        "Unsubscribe",
        "Done. You will get no more e-mail from us.",
    ),
    "fr": (
        "Arrêter tous les e-mails à {mailbox} ?",
        "Se désabonner",
        "C’est fait. Vous ne recevrez plus d’e-mails de notre part.",
    ),
    "de": (
        "Keine E-Mails mehr an {mailbox}?",
        "Abbestellen",
        "Erledigt. Sie bekommen keine E-Mails mehr von uns.",
    ),
    "es": (
        "¿Dejar de enviar correos a {mailbox}?",
        "Darse de baja",
        "Listo. No le enviaremos más correos.",
    ),
    "pt": (
        "Parar de enviar e-mails para {mailbox}?",
        "Cancelar a inscrição",
        "Pronto. Não enviaremos mais e-mails.",
    ),
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    # The link is a key: it is not handed on.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
#: Without an action the form posts to the address of the page itself.
_FORM = """<form method="post">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button>{button}</button>
</form>"""
_PAGE = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 1.25rem/1.5 system-ui, sans-serif }}
body {{ margin: 0; min-height: 100vh; display: grid; place-content: center; text-align: center }}
main {{ padding: 1rem }}
h1 {{ font-size: 1rem; font-weight: normal; opacity: .75; margin: 0 0 1.5rem }}
button {{ font: inherit; padding: .75em 1.5em; cursor: pointer }}
</style>
<main>{whose}{inside}</main>
</html>
"""


def button_page(request: Request, mailbox: str | None) -> ExpectedAnswer:
    """The button, and which mailbox it is for: masked, because links are forwarded. None for a link
    that holds for no mailbox: it has a button all the same."""
    language = _language(request)
    question, button, _ = _WORDS[language]
    form = _FORM.format(button=escape(button))
    if mailbox:
        about = escape(question.format(mailbox=f"\u2068{masked(mailbox)}\u2069"))
        form = f"<p>{about}</p>\n{form}"
    return _page(request, language, button, form)


def done_page(request: Request) -> ExpectedAnswer:
    """After the button."""
    language = _language(request)
    _, _, done = _WORDS[language]
    return _page(request, language, done, f'<p role="status">✅ {escape(done)}</p>')


def _page(request: Request, language: str, title: str, inside: str) -> ExpectedAnswer:
    host = urlsplit(request.url).hostname
    whose = f"<h1>{escape(host)}</h1>\n" if host else ""
    text = _PAGE.format(language=language, title=escape(title), whose=whose, inside=inside)
    return ExpectedAnswer(body=text, media_type="text/html", headers=_HEADERS)


def _language(request: Request) -> str:
    """The first of the reader's languages that we have."""
    for wanted in request.header("accept-language").split(","):
        language = wanted.strip()[:2].lower()
        if language in _WORDS:
            return language
    return "en"
