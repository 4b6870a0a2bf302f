"""The messaging providers: a folder for each, and a row in `SPECS`.

`docs/providers/adding.md` leads through adding one.
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
