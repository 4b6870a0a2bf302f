"""What the demo's page suggests to try."""

from __future__ import annotations

#: Whose steps a campaign that goes wrong must not spoil: it opts out none of them.
IN_THE_TOUR = frozenset(
    {
        "Ana Gómez",
        "Ana Gonçalves",
        "Anastasia Petrov",
        "Adam Adams",
        "Bob Miller",
        "Grace Lee",
        "Ines Costa",
        "Jürgen Müller",
        "Marco Bianchi",
        "Paula Reyes",
        "Rosa Jiménez",
        "Tara Singh",
        "Xenia Popova",
        "Zoe Adams",
    }
)

#: A step with `shows` is done when a modal or a new message has all of these texts. The head of
#: sandbox/page/tour.js says when the others are.
TOUR: dict[str, object] = {
    "title": "What to try",
    "steps": [
        {
            "title": "Why does she get no texts?",
            "text": "Grace replied STOP. The card says since when, what has to happen, and who "
            "does it.",
            "person": "Ana",
            "command": "/optin +1 415 555 0106",
        },
        {
            "title": "By e-mail address",
            "text": "Paula reported an e-mail as spam: no agent can clear that.",
            "person": "Ana",
            "command": "/optin paula@example.com",
        },
        {
            "title": "By part of a name",
            "text": "Several contacts fit; case and accents don't matter.",
            "person": "Ana",
            "command": "/optin ana",
        },
        {
            "title": "Out of a message",
            "text": "Send it, and choose Check opt-in in its … menu. That works in threads, too.",
            "person": "Ana",
            "command": "Ticket of +1 415 555 0106 and ana@example.com",
            "shows": ["2 contacts and addresses are in this message."],
        },
        {
            "title": "Ask where you talk",
            "text": "Choose Reply in thread in the … menu of any message, and mention Optin. Only "
            "you see the answer. Direct messages to Optin are answered, too.",
            "person": "Ana",
            "command": "@optin +1 415 555 0106",
        },
        {
            "title": "Change SMS On",
            "text": "Ines was never asked. Press Edit, set SMS On to YES and say what shows that "
            "she agreed.",
            "person": "Ana",
            "command": "/optin Ines Costa",
            "shows": ["✓ SMS On", "never asked → YES"],
        },
        {
            "title": "Green is not enough",
            "text": "Bob wants texts and they bounce: SMS On is YES, and nothing is sent. Press "
            "Clear SMS Bounce, and say why and what shows that his number works.",
            "person": "Ben",
            "command": "/optin 415-555-0101",
            "shows": ["✓ SMS Bounce", "YES → cleared"],
        },
        {
            "title": "One number, two people",
            "text": "Zoe and Adam share a number and a mailbox.",
            "person": "Ben",
            "command": "/optin (415) 555-0123",
        },
        {
            "title": "A contact texts STOP",
            "text": "Texts from Ana's phone, under *Phone & mailbox*. SMS On is NO at once, the "
            "carrier blocks the support line, and #optin-alerts is told.",
            "contact": "Ana Gómez",
            "texts": "STOP",
        },
        {
            "title": "Ask for her back",
            "text": "Two keys bring her back, in any order. Press *Request re-opt-in* and say what "
            "shows that she wants it: #optin-approvals is told.",
            "person": "Ben",
            "command": "/optin +1 415 555 0100",
            "shows": ["The request is sent."],
        },
        {
            "title": "A manager decides",
            "text": "Lee presses *Approve*, here or in #optin-approvals. It says what is still "
            "missing, and Ben hears of it, with the sentence to pass on.",
            "person": "Lee",
            "command": "/optin pending",
            "shows": ["Approved"],
        },
        {
            "title": "… and she comes back",
            "text": "UNSTOP to the same number is the contact's own key, and the last one: SMS On "
            "is YES, and every message says so.",
            "contact": "Ana Gómez",
            "texts": "UNSTOP",
        },
        {
            "title": "SendGrid's list follows",
            "text": "Jürgen asks for no more e-mails. Press *Edit*, set Email On to NO, and choose "
            "*Asked by phone*. Optin adds him to SendGrid's list.",
            "person": "Ana",
            "command": "/optin juergen@example.com",
            "shows": ["✓ Email On", "YES → NO"],
        },
        {
            "title": "Dropped, whoever sends",
            "text": "His mailbox shows SendGrid's lists. Press *Deliver*: SendGrid drops the "
            "e-mail. When a manager approves his re-opt-in, Optin takes the entry off.",
            "contact": "Jürgen Müller",
            "mailbox": True,
            "press": "Deliver",
        },
        {
            "title": "The bounce was a mistake",
            "text": "SendGrid drops what is sent to Marco. Press *Clear Email Bounce*, and say why "
            "and what shows that his address works. Optin takes it off SendGrid's list.",
            "person": "Ben",
            "command": "/optin marco@example.com",
            "shows": ["✓ Email Bounce", "YES → cleared"],
        },
        {
            "title": "A refusal in other words",
            "text": "It blocks nothing at the carrier, and is a refusal all the same: a person "
            "is asked to read it.",
            "contact": "Tara Singh",
            "texts": "Stop. Thank you",
        },
        {
            "title": "An e-mail is one too many",
            "text": "Press *Unsubscribe* or *Report spam* in Rosa's mailbox.",
            "contact": "Rosa Jiménez",
            "mailbox": True,
            "press": ["Unsubscribe", "Report spam"],
        },
        {
            "title": "A message bounces",
            "text": "Choose why, and press *Bounce*. A filter of the carrier's is not the "
            "contact's fault; an unknown number is.",
            "contact": "Xenia Popova",
            "press": "Bounce",
        },
        {
            "title": "Search as you type",
            "text": "The command alone opens the search. Two letters are enough.",
            "person": "Lee",
            "command": "/optin",
            "press": "Find a contact",
        },
        {
            "title": "Without a command",
            "text": "The bolt beside the message field has the shortcuts: choose *Find a contact*.",
            "person": "Ana",
            "press": "Shortcut: Find a contact",
        },
        {
            "title": "In a workflow",
            "text": "The bolt has the steps of Workflow Builder, too. Choose *Check status*, type "
            "+1 415 555 0106 as the contact, and press *Start*.",
            "person": "Ana",
            "press": "Workflow: Check status",
        },
        {
            "title": "Your Home",
            "text": "*Optin Home* in the sidebar has your look-ups, what waits for you and the "
            "week's opt-outs. Lee is a manager: press *Settings* there for alerts and digests.",
            "person": "Lee",
            "press": "Settings",
        },
        {
            "title": "What happened lately",
            "text": "The last changes of all contacts, with who made them.",
            "person": "Mia",
            "command": "/optin recent",
        },
        {
            "title": "A guest",
            "text": "Gus is a guest in this workspace: he learns nothing about contacts.",
            "person": "Gus",
            "command": "/optin ana@example.com",
        },
        {
            "title": "Ask before sending",
            "text": "The company's newsletter is a system of its own. Opt somebody out here, and "
            "press *Send* there: it holds the message back and says why.",
            "newsletter": True,
        },
        {
            "title": "A campaign goes wrong",
            "text": "Press *500 STOPs*: all are stored, and the channel gets one card.",
            "outside": True,
            "press": "500 STOPs",
        },
    ],
}
