"""What the columns of other systems mean, makers beyond the files in fixtures/contact_files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.consent.model import Channel, ConsentValue
from bot.consent.use_cases import Row
from handlers.contacts_file import Asked, ListKind, UnreadableFile, open_contacts
from handlers.contacts_file.columns import Column

NOW = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)


def rows(folder: Path, content: str | bytes, asked: Asked | None = None) -> list[Row]:
    path = folder / "contacts.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with open_contacts(path, asked) as contacts:
        return list(contacts.read(NOW))


def stopped(folder: Path, content: str, asked: Asked | None = None) -> str:
    with pytest.raises(UnreadableFile) as refused:
        rows(folder, content, asked)
    return refused.value.at_command_line


def said(row: Row) -> str:
    """A row in short: consent to texts and e-mail, then bounces and complaints."""
    assert row.problem is None
    words = {ConsentValue.YES: "yes", ConsentValue.NO: "no", ConsentValue.UNSET: "-"}
    text = f"{words[row.sms]} {words[row.email]}"
    text += " sms-bounce" if row.sms_bounce else ""
    text += " complaint" if row.complaint else " bounce" if row.email_bounce else ""
    return text + (" staff" if any(one.by_staff for one in (row.refusals or {}).values()) else "")


CONTACTS = {
    "Klaviyo": (
        "Email,First Name,Phone Number,Email Marketing Consent,SMS Marketing Consent,Email Suppressions,Email Marketing Consent Timestamp",
        ('a@b.c,A,+14155550101,SUBSCRIBED,UNSUBSCRIBED,"[""USER_SUPPRESSED""]",', "no no staff"),
        ("a@b.c,A,+14155550101,SUBSCRIBED,NEVER_SUBSCRIBED,[],2025-01-01T00:00:00Z", "- yes"),
        ("a@b.c,A,+14155550101,NEVER_SUBSCRIBED,NEVER_SUBSCRIBED,HARD_BOUNCE,", "- - bounce"),
        ('a@b.c,A,,SUBSCRIBED,,"UNSUBSCRIBED, SPAM_COMPLAINT",', "- no complaint"),
    ),
    "Mailchimp, cleaned": (
        "Email Address,First Name,Phone Number,OPTIN_TIME,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,LEID,EUID",
        ("a@b.c,A,4155550101,2024-02-01 09:00:00,2024-05-01 10:00:00,Spring,1,2", "- yes bounce"),
    ),
    "Constant Contact": (
        "Email address,First name,Email status,Email permission status,Confirmed Opt-Out Date,Confirmed Opt-Out Source",
        ("a@b.c,A,Unsubscribed,,05/03/2026 10:00 AM,Contact", "- no"),
        ("a@b.c,A,Active,Express,,", "- yes"),
        ("a@b.c,A,No Permissions Set,,,", "- -"),
    ),
    "CiviCRM": (
        "First Name,Do Not Email,Do Not Phone,Do Not Mail,Do Not Sms,Do Not Trade,No Bulk Emails (User Opt Out),Email,On Hold,Phone",
        ("A,Yes,No,No,Yes,No,Yes,a@b.c,On Hold Opt Out,4155550101", "no no"),
        ("A,No,Yes,Yes,No,Yes,No,a@b.c,On Hold Bounce,4155550101", "- - bounce"),
    ),
    "Wix": (
        "First Name,Email 1,Phone 1,Email subscriber status,SMS subscriber status",
        ("A,a@b.c,4155550101,Unsubscribed,Never subscribed", "- no"),
        ("A,a@b.c,4155550101,Subscribed,Subscribed", "yes yes"),
    ),
    "Keila": (
        "Email,First name,Data,Status",
        ("a@b.c,A,{},unsubscribed", "- no"),
        ("a@b.c,A,{},unreachable", "- - bounce"),
        ("a@b.c,A,{},active", "- -"),
    ),
    "Brevo": (
        "EMAIL;FIRSTNAME;SMS;DOUBLE_OPT-IN;EMAIL_BLACKLISTED;SMS_BLACKLISTED",
        ("a@b.c;A;14155550101;1;true;false", "- no"),
        ("a@b.c;A;14155550101;2;false;true", "no -"),
    ),
    "Omnisend": (
        "email,phone,firstName,emailStatus,emailStatusDate,smsStatus,smsOptInDate,smsOptOutDate",
        ("a@b.c,+14155550101,A,unsubscribed,2025-01-01,nonSubscribed,,", "- no"),
        ("a@b.c,+14155550101,A,subscribed,2025-01-01,unsubscribed,2024-01-01,2025-01-01", "no yes"),
    ),
    "Pipedrive": (
        "Person - Name,Person - Email - Work,Person - Phone - Mobile,Person - Marketing status",
        ("A,a@b.c,+14155550101,Unsubscribed", "no no"),
        ("A,a@b.c,+14155550101,No consent", "- -"),
        ("A,a@b.c,+14155550101,Subscribed", "- yes"),
    ),
    "Intercom": (
        "Name,Email,Phone,Unsubscribed from emails,Marked email as spam,Has hard bounced",
        ("A,a@b.c,+14155550101,true,false,false", "- no"),
        ("A,a@b.c,+14155550101,false,true,false", "- no complaint"),
        ("A,a@b.c,+14155550101,false,false,true", "- - bounce"),
    ),
    "Braze": (
        "user_id,first_name,email,phone,email_subscribe,unsubscribed_from_emails_at,push_subscribe",
        ("1,A,a@b.c,+14155550101,unsubscribed,2025-01-01T00:00:00Z,subscribed", "- no"),
        ("1,A,a@b.c,+14155550101,opted_in,,unsubscribed", "- yes"),
    ),
    "ActiveCampaign": (
        "Email,First Name,Phone,Status,Bounced Hard,Bounced Soft",
        ("a@b.c,A,4155550101,Unsubscribed,0,0", "no no"),
        ("a@b.c,A,4155550101,Bounced,2,0", "- - bounce"),
        ("a@b.c,A,4155550101,Active,0,1", "- -"),
    ),
    "MailerLite": (
        "Email,Name,Phone,Status,Subscribed,Unsubscribed,Opens",
        ("a@b.c,A,4155550101,unsubscribed,2024-01-01 00:00:00,2025-01-01 00:00:00,1", "- no"),
        ("a@b.c,A,4155550101,active,2024-01-01 00:00:00,,1", "- yes"),
        ("a@b.c,A,4155550101,junk,2024-01-01 00:00:00,,1", "- no complaint"),
    ),
    "Kit": (
        "first_name,email,status",
        ("A,a@b.c,cancelled", "- no"),
        ("A,a@b.c,bounced", "- - bounce"),
        ("A,a@b.c,complained", "- no complaint"),
    ),
    "Zoho": (
        "First Name,Email,Mobile,Email Opt Out,SMS Opt Out,Unsubscribed Mode,Unsubscribed Time",
        ("A,a@b.c,4155550101,true,false,,", "- no"),
        ("A,a@b.c,4155550101,false,true,,", "no -"),
    ),
    "Salesforce Marketing Cloud": (
        "Subscriber Key,Email Address,Status,Date Unsubscribed,Date Undeliverable,First Name,Mobile",
        ("1,a@b.c,Unsubscribed,1/3/2025,,A,4155550101", "- no"),
        ("2,a@b.c,Held,,1/3/2025,A,4155550101", "- - bounce"),
    ),
    "Dynamics": (
        "First Name,Email,Mobile Phone,Do not allow Emails,Do not allow Phone Calls,Do not allow Mails",
        ("A,a@b.c,4155550101,Do Not Allow,Do Not Allow,Allow", "- no"),
        ("A,a@b.c,4155550101,Allow,Allow,Do Not Allow", "- -"),
    ),
    "WooCommerce": (
        "user_email,first_name,billing_phone,marketing_opt_in",
        ("a@b.c,A,4155550101,no", "no no"),
        ("a@b.c,A,4155550101,yes", "- yes"),
    ),
    "HubSpot": (
        "First Name,Email,Phone Number,Marketing emails bounced,Email address quarantined,Is Contact Opted Out of SMS",
        ("A,a@b.c,4155550101,1,,", "- - bounce"),
        ("A,a@b.c,4155550101,0,true,", "- - bounce"),
        ("A,a@b.c,4155550101,0,false,Yes", "no -"),
    ),
    "Marketo": (
        "First Name,Email Address,Mobile Phone Number,Unsubscribed,Email Invalid,Email Invalid Cause,Email Suspended,Black Listed",
        ("A,a@b.c,4155550101,1,0,,0,0", "no no"),
        ("A,a@b.c,4155550101,0,1,550 unknown,0,0", "- - bounce"),
        ("A,a@b.c,4155550101,0,0,,1,1", "no no"),
    ),
    "Ontraport": (
        "First Name,Email,SMS Number,Bulk Mail,Bulk SMS",
        ("A,a@b.c,4155550101,Opt-Out,Single Opt-In", "yes no"),
        ("A,a@b.c,4155550101,Hard Bounce,Transactional Only", "no - bounce staff"),
    ),
    "Campaign Monitor": (
        "Email Address,Name,State,Date",
        ("a@b.c,A,Unsubscribed,2025-01-01", "- no"),
        ("a@b.c,A,Bounced,2025-01-01", "- - bounce"),
        ("a@b.c,A,Active,2025-01-01", "- -"),
    ),
    "Iterable": (
        "email,firstName,phoneNumber,unsubscribedChannelIds,subscribedMessageTypeIds",
        ("a@b.c,A,+14155550101,[1234],[]", "no no"),
        ("a@b.c,A,+14155550101,[],[55]", "- -"),
    ),
    "Twilio's consents": (
        "contact_id,sender_id,status,source,date_of_consent",
        ("+14155550101,MG1,opt-out,offline,2025-01-01", "no -"),
        ("+14155550101,MG1,opt-in,website,2025-01-01", "yes -"),
    ),
    "Shopify": (
        "First Name,Email,Accepts Email Marketing,Phone,Accepts SMS Marketing",
        ("A,a@b.c,yes,'+14155550101,no", "no yes staff"),
    ),
    "Meta's lead forms": (
        "full_name\temail\tphone_number\twould_you_like_to_receive_texts?",
        ("A\ta@b.c\tp:+14155550101\tno", "no -"),
    ),
    "somebody's spreadsheet": (
        "Name|Mobile number|Ok to text?|Ok to email?|Email",
        ("A|4155550101|N|Y|a@b.c", "no yes"),
        ("A|4155550101|✓|✗|a@b.c", "yes no"),
        ("A|4155550101|x|🔴|a@b.c", "yes no"),
        ("A|4155550101|Bounced|Hard Bounce|a@b.c", "- - sms-bounce bounce"),
        ("A|4155550101|1.0|2024-05-03|a@b.c", "yes yes"),
    ),
}


@pytest.mark.parametrize("maker", CONTACTS)
def test_a_makers_columns_are_understood_without_a_table_of_its_own(
    tmp_path: Path, maker: str
) -> None:
    header, *lines = CONTACTS[maker]
    content = "\n".join([header, *(line for line, _ in lines)])
    found = rows(tmp_path, content)

    assert [said(row) for row in found] == [expected for _, expected in lines]
    assert {row.details.phone for row in found if row.details.phone} <= {
        "+14155550101",
        "14155550101",
        "4155550101",
    }


LISTS = {
    "Brevo": (
        ("suppressions", None, "email,reason,blockedAt"),
        ("a@b.c,unsubscribedViaEmail,2025-01-01T00:00:00Z", "no no"),
        ("a@b.c,contactFlaggedAsSpam,2025-01-01T00:00:00Z", "no no complaint"),
        ("a@b.c,hardBounce,2025-01-01T00:00:00Z", "- - sms-bounce bounce"),
        ("a@b.c,adminBlocked,2025-01-01T00:00:00Z", "no no staff"),
    ),
    "SparkPost": (
        ("suppressions", None, "recipient,type,source,description,created"),
        ("a@b.c,transactional,Bounce Rule,550,2025-01-01", "- - sms-bounce bounce"),
        ("a@b.c,non_transactional,Unsubscribe Link,,2025-01-01", "no no"),
        ("a@b.c,non_transactional,Spam Complaint,,2025-01-01", "no no complaint"),
    ),
    "Mailgun": (
        ("bounces", "mailgun", "address,code,error,created_at"),
        ("a@b.c,550,No such mailbox,2025-01-01", "- - sms-bounce bounce"),
    ),
    "SendGrid": (
        ("complaints", "sendgrid", "created,email,ip"),
        ("1767225600,a@b.c,1.2.3.4", "no no complaint"),
    ),
    "Mandrill": (
        ("suppressions", None, "Email,Reason,Detail,Created at,Expired"),
        ("a@b.c,hard-bounce,550 user unknown,2025-01-01,no", "- - sms-bounce bounce"),
        ("a@b.c,soft-bounce,,2025-01-01,no", "- - sms-bounce bounce"),
        ("a@b.c,unsub,,2025-01-01,no", "no no"),
        ("a@b.c,custom,,2025-01-01,no", "no no staff"),
    ),
    "SendGrid's blocks": (
        ("suppressions", "sendgrid", "status,reason,email,created"),
        ("5.7.1,550 5.7.1 blocked,a@b.c,1767225600", "- - sms-bounce bounce"),
    ),
    "Amazon's numbers": (
        ("opt-outs", None, "OptedOutNumber,OptedOutTimestamp,EndUserOptedOut"),
        ("+14155550101,2025-01-01T00:00:00Z,true", "no no"),
    ),
    "EZ Texting": (
        ("opt-outs", None, "PhoneNumber,FirstName,LastName,OptOutDate"),
        ("4155550101,Una,Doe,05/03/2026", "no no"),
    ),
    "no titles": (
        ("suppressions", None, "una@example.com,BOUNCE"),
        ("sam@example.com,COMPLAINT", "no no complaint"),
    ),
}


@pytest.mark.parametrize("maker", LISTS)
def test_a_suppression_list_needs_no_names(tmp_path: Path, maker: str) -> None:
    (kind, provider, header), *lines = LISTS[maker]
    asked = Asked(kind=ListKind(kind), provider=provider)
    found = rows(tmp_path, "\n".join([header, *(line for line, _ in lines)]), asked)

    assert [said(row) for row in found][-len(lines) :] == [expected for _, expected in lines]
    assert all(row.listed and row.details.name is None for row in found)


def test_a_list_may_be_the_json_of_a_providers_interface(tmp_path: Path) -> None:
    content = (
        '{"SuppressedDestinationSummaries": [{"EmailAddress": "a@b.c", "Reason": "BOUNCE", '
        '"LastUpdateTime": "2025-01-01T00:00:00+00:00"}, {"EmailAddress": "d@b.c", '
        '"Reason": "COMPLAINT", "LastUpdateTime": 1700000000.5}]}'
    )
    found = rows(tmp_path, content, Asked(kind=ListKind.SUPPRESSIONS, provider="ses"))

    assert [said(row) for row in found] == [
        "- - sms-bounce bounce",
        "no no complaint",
    ]
    assert found[1].refusal(Channel.EMAIL).at == datetime(2023, 11, 14, 22, 13, 20, 500000, UTC)


def test_the_time_of_a_contact_is_not_taken_for_that_of_an_opt_out(tmp_path: Path) -> None:
    content = "phone,Created\n4155550101,2020-01-01\n"
    of_nobody = rows(tmp_path, content, Asked(kind=ListKind.OPT_OUTS))
    of_provider = rows(tmp_path, content, Asked(kind=ListKind.OPT_OUTS, provider="telnyx"))

    assert of_nobody[0].refusal(Channel.SMS).at is None
    assert of_provider[0].refusal(Channel.SMS).at is not None


def test_words_under_a_title_that_says_nothing_do_not_make_a_list(tmp_path: Path) -> None:
    content = "Email,Reason,Timestamp\na@b.c,UNSUBSCRIBED,2025-01-01\n"

    assert "--as suppressions" in stopped(tmp_path, content)
    assert said(rows(tmp_path, content, Asked(kind=ListKind.SUPPRESSIONS))[0]) == "no no"


def test_a_list_that_says_who_did_not_opt_out_is_no_list(tmp_path: Path) -> None:
    content = "phone,Opted Out\n4155550101,yes\n4155550102,no\n"

    assert "some of these people did not opt out" in stopped(
        tmp_path, content, Asked(kind=ListKind.OPT_OUTS)
    )


@pytest.mark.parametrize("title", ["emailsubscribed", "smsoptin", "HASOPTEDOUTOFSMS"])
def test_titles_in_one_word_are_read_as_well(tmp_path: Path, title: str) -> None:
    (found,) = rows(tmp_path, f"Contact,phone,email,{title}\nAna,4155550101,a@b.c,yes\n")

    assert found.details.name == "Ana"
    assert said(found) == {"emailsubscribed": "- yes", "smsoptin": "yes -"}.get(title, "no -")


def test_a_makers_own_list_with_dates_of_opt_ins_is_a_list(tmp_path: Path) -> None:
    content = (
        "Email Address,First Name,OPTIN_TIME,UNSUB_TIME,LEID,EUID\n"
        "a@b.c,Ana,2024-01-01 00:00:00,2025-01-01 00:00:00,1,2\n"
    )
    (found,) = rows(tmp_path, content, Asked(kind=ListKind.OPT_OUTS))

    assert said(found) == "no no"
    assert found.refusal(Channel.EMAIL).at == datetime(2025, 1, 1, tzinfo=UTC)


def test_a_column_that_may_be_about_consent_stops_the_file_with_examples(tmp_path: Path) -> None:
    lines = "".join(f"Ana,a{n}@example.com,level {n}\n" for n in range(30))
    sentence = stopped(tmp_path, f"name,email,Consent level\n{lines}")

    assert sentence == (
        "The column “Consent level” may be about consent, and Optin does not understand it. It "
        "holds “level 0”, “level 1”, “level 2”. Say what it means, such as "
        '--column "Consent level=sms_on", or leave it out: --ignore "Consent level".\n'
        "Nothing was imported."
    )


def test_examples_do_not_show_an_address(tmp_path: Path) -> None:
    content = "name,email,Opted out by\nAna,a@b.c,boss@example.com\nBen,b@b.c,+14155550199\n"
    sentence = stopped(tmp_path, content.replace("Opted out by", "SMS consent"))

    assert "boss@" not in sentence
    assert "4155550" not in sentence
    assert "“b…@example.com”, “ending 0199”" in sentence


def test_a_word_below_the_sampled_rows_stops_the_file_as_well(tmp_path: Path) -> None:
    lines = "".join(f"Ana,a{n}@example.com,,\n" for n in range(1_200))
    content = f"name,email,Consent level,Status\n{lines}"

    assert len(rows(tmp_path, content + "Una,u@example.com,,vip\n")) == 1_201
    assert "Consent level" in stopped(tmp_path, content + "Una,u@example.com,gold,\n")
    assert said(rows(tmp_path, content + "Una,u@example.com,,unsubscribed\n")[-1]) == "- no"


def test_a_status_is_about_consent_where_any_of_its_words_is(tmp_path: Path) -> None:
    header = "name,email,Segment\n"

    assert said(rows(tmp_path, f"{header}Ana,a@b.c,Gold\n")[0]) == "- -"
    assert said(rows(tmp_path, f"{header}Ana,a@b.c,Unsubscribed\n")[0]) == "- no"
    assert "“Gold”" in stopped(tmp_path, f"{header}Ana,a@b.c,Unsubscribed\nBen,b@b.c,Gold\n")


def test_a_column_is_mapped_or_left_out_on_purpose(tmp_path: Path) -> None:
    content = "name,phone,Texting club,Old consent\nAna,4155550101,no,gold\n"
    asked = Asked(meanings={"texting CLUB": Column.SMS_ON}, ignored=["Old consent"])

    assert said(rows(tmp_path, content, asked)[0]) == "no -"
    assert "no column “Missing”" in stopped(tmp_path, content, Asked(ignored=["Missing"]))


def test_the_address_of_an_unsubscribe_page_is_no_opt_out(tmp_path: Path) -> None:
    content = "name,email,Unsubscribe link\nAna,a@b.c,https://example.com/u?x=1\n"

    assert said(rows(tmp_path, content)[0]) == "- -"


def test_do_not_call_never_becomes_a_yes_to_texts(tmp_path: Path) -> None:
    (found,) = rows(tmp_path, "name,phone,sms_on,Do Not Call\nAna,4155550101,yes,yes\n")

    assert (said(found), found.do_not_call) == ("- -", True)


def test_an_opt_out_has_the_date_of_its_column_and_never_one_in_doubt(tmp_path: Path) -> None:
    content = "name,phone,Opt-out date\nAna,4155550101,2025-05-03\nBen,4155550102,05/03/2025\n"
    first, second = rows(tmp_path, content)

    assert [said(first), said(second)] == ["no -", "no -"]
    assert first.refusal(Channel.SMS).at == datetime(2025, 5, 3, 23, 59, 59, tzinfo=UTC)
    assert second.refusal(Channel.SMS).at is None


def test_several_addresses_come_with_the_mobile_number_first(tmp_path: Path) -> None:
    header = "Name,Phone 1 - Type,Phone 1 - Value,Phone 2 - Type,Phone 2 - Value"
    (found,) = rows(tmp_path, f"{header}\nAna,Home,4155550101 ::: 4155550102,Mobile,4155550103\n")

    assert found.details.phone == "4155550103"
    assert (found.more or {})[Channel.SMS] == ["4155550101", "4155550102"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_the_encodings_of_spreadsheets_are_told_apart(tmp_path: Path, encoding: str) -> None:
    (found,) = rows(tmp_path, "name,phone\nJosé Núñez,4155550101\n".encode(encoding))

    assert found.details.name == "José Núñez"


def test_an_encoding_can_be_named(tmp_path: Path) -> None:
    content = "name,phone\nJosé,4155550101\n".encode("mac-roman")
    (found,) = rows(tmp_path, content, Asked(encoding="mac-roman"))

    assert found.details.name == "José"
    assert "no encoding “klingon”" in stopped(tmp_path, "name,phone\n", Asked(encoding="klingon"))


def test_the_lines_below_a_report_are_no_rows(tmp_path: Path) -> None:
    footer = (
        '\n\n"Confidential Information - Do Not Distribute"\n"Generated By:  Pat Doe"\n"Acme"\n'
    )
    found = rows(tmp_path, f'"Name","Phone"\n"Ana","4155550101"\n{footer}')

    assert [row.details.name for row in found] == ["Ana"]
