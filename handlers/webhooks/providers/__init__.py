"""The messaging providers: a folder for each, and a row in `SPECS`.

`webhook.py` reads requests, `signature.py` verifies who sent them, `codes.py` says what errors
mean, and `__init__.py` declares the settings and the `SPEC`. `docs/providers/adding.md` says how to
add one, step by step.
"""

from handlers.webhooks.provider_spec import register
from handlers.webhooks.providers import (
    mailgun,
    one_click,
    postmark,
    resend,
    sendgrid,
    ses,
    telnyx,
    twilio,
    vonage,
)

#: Every provider by its name, in the order of `optin doctor`.
SPECS = register(
    [
        twilio.SPEC,
        telnyx.SPEC,
        vonage.SPEC,
        sendgrid.SPEC,
        mailgun.SPEC,
        postmark.SPEC,
        ses.SPEC,
        resend.SPEC,
        one_click.SPEC,
    ]
)
