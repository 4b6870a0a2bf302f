"""The messaging providers: a folder for each, and a row in `SPECS`.

To add one, copy the shape of `telnyx/`: `signature.py` proves who sent a request, `events.py` reads
it, `codes.py` says what errors mean, and `__init__.py` declares the settings and the `SPEC`. Then
add its row below, recorded requests in `tests/fixtures/<name>/` and a section in
`docs/providers/setup.md`. The tests in `tests/webhooks/` name what is missing.
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
