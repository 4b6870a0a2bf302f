"""One-click links for people: a page with one button, and the page after it.

A mail client posts by itself and looks at no page (https://www.rfc-editor.org/rfc/rfc8058). A
person who follows the link sees the button first: scanners follow links too, and must change
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from handlers.webhooks.provider import ExpectedAnswer, Request

#: By language: what the button says, and what is said when it is done.
_WORDS: Mapping[str, tuple[str, str]] = {
    "en": ("Unsubscribe", "Done. You will get no more e-mail from us."),
    "fr": ("Se désabonner", "C’est fait. Vous ne recevrez plus d’e-mails de notre part."),
    "de": ("Abbestellen", "Erledigt. Sie bekommen keine E-Mails mehr von uns."),
    "es": ("Darse de baja", "Listo. No le enviaremos más correos."),
    "pt": ("Cancelar a inscrição", "Pronto. Não enviaremos mais e-mails."),
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
button {{ font: inherit; padding: .75em 1.5em; cursor: pointer }}
</style>
<main>{inside}</main>
</html>
"""


def button_page(request: Request) -> ExpectedAnswer:
    """The same for every link, so that it tells nobody which of them hold."""
    language = _language(request)
    button, _ = _WORDS[language]
    return _page(language, button, _FORM.format(button=escape(button)))


def done_page(request: Request) -> ExpectedAnswer:
    """After the button."""
    language = _language(request)
    _, done = _WORDS[language]
    return _page(language, done, f'<p role="status">✅ {escape(done)}</p>')


def _page(language: str, title: str, inside: str) -> ExpectedAnswer:
    text = _PAGE.format(language=language, title=escape(title), inside=inside)
    return ExpectedAnswer(body=text, media_type="text/html", headers=_HEADERS)


def _language(request: Request) -> str:
    """The first of the reader's languages that we have."""
    for wanted in request.header("accept-language").split(","):
        language = wanted.strip()[:2].lower()
        if language in _WORDS:
            return language
    return "en"
