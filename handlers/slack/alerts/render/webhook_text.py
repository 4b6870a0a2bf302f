"""What the alert channel is told about an outbound webhook: which host, what fails, what to do."""

from __future__ import annotations

from bot.consent.alerts import Alert
from bot.consent.use_cases.webhooks.webhook_alerts import EndpointState, EndpointTrouble, trouble_of
from handlers.slack.blocks.formatting import date, inert

_KEPT = "No event is lost: Optin delivers them when it works again."


def webhook_alert(alert: Alert) -> list[str]:
    trouble, id = trouble_of(alert), inert(alert.about or "")
    host = f"the webhook at {inert(trouble.host, 100)}"
    if trouble.state is EndpointState.RECOVERED:
        return [
            f"✓ *{_capital(host)} works again*, {date(trouble.at)}. Optin delivers the events that "
            "waited.",
            f"It failed from {date(trouble.since)}: it {_problem(trouble)}.",
        ]
    if trouble.state is EndpointState.PAUSED:
        return [
            f"🚨 *Optin paused {host}:* it {_problem(trouble)}. {_since(trouble)}The other system "
            "no longer hears of opt-outs.",
            f"Repair it, then run `optin webhook resume {id}`. Optin goes on where it stopped. "
            f"`optin webhook test {id}` tries it first.",
        ]
    if trouble.state is EndpointState.GIVEN_UP:
        return [
            f"⚠️ *{_capital(host)} refuses some events* and takes others. Optin gave up after ten "
            "attempts in three days.",
            f"Repair that system, then run `optin webhook replay {id} --after {trouble.after}`: "
            "Optin delivers once more what happened since.",
        ]
    return [
        f"⚠️ *Events do not reach {host}:* it {_problem(trouble)}, since {date(trouble.since)}. "
        "The other system does not hear of opt-outs meanwhile.",
        f"Check that system; `optin webhook test {id}` tries it at once. {_KEPT} Optin retries "
        f"until {date(trouble.at)}, and then pauses the webhook.",
    ]


def _problem(trouble: EndpointTrouble) -> str:
    return inert(trouble.problem or "fails", 200)


def _since(trouble: EndpointTrouble) -> str:
    return f"It had failed since {date(trouble.since)}. " if trouble.at != trouble.since else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
