"""Which column is which: the contract's names, and those of the usual exports as they come.

HubSpot, Klaviyo, Mailchimp, Salesforce, Shopify, Google Contacts and Outlook. A column that could
mean two things (Brevo's "SMS" is a phone number) is left out, and said to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.consent.errors import Invalid
from bot.consent.parsing import fold


class Column(StrEnum):
    """What a column holds, by the name that the contract gives it."""

    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    MOBILE = "mobile"
    PHONE = "phone"
    EMAIL = "email"
    SMS_ON = "sms_on"
    EMAIL_ON = "email_on"
    #: Yes or no, and no word of the channel.
    OPT_IN = "opt_in"
    #: Yes means no, and no means nothing.
    SMS_OPT_OUT = "sms_opt_out"
    EMAIL_OPT_OUT = "email_opt_out"
    OPT_OUT = "opt_out"
    SMS_BOUNCE = "sms_bounce"
    EMAIL_BOUNCE = "email_bounce"
    COMPANY = "company"
    EXTERNAL_ID = "external_id"
    CONSENT_SOURCE = "consent_source"
    CONSENT_AT = "consent_at"
    #: Of one channel, where the two have different evidence.
    SMS_CONSENT_SOURCE = "sms_consent_source"
    SMS_CONSENT_AT = "sms_consent_at"
    EMAIL_CONSENT_SOURCE = "email_consent_source"
    EMAIL_CONSENT_AT = "email_consent_at"


#: In lower case, without spaces and punctuation.
_NAMES: dict[Column, str] = {
    Column.NAME: "name fullname contactname contact customername displayname subscribername",
    Column.FIRST_NAME: "firstname givenname first forename",
    Column.LAST_NAME: "lastname familyname surname last",
    Column.MOBILE: "mobile mobilephone mobilephonenumber mobilenumber cell cellphone "
    "cellphonenumber cellnumber smsphonenumber smsphone smsnumber",
    Column.PHONE: "phone phonenumber telephone telephonenumber tel primaryphone phone1value "
    "phone1 msisdn subscriberphone contactphone defaultaddressphone",
    Column.EMAIL: "email emailaddress mail mailaddress primaryemail email1value email1 "
    "subscriberemail contactemail",
    Column.SMS_ON: "smson smsoptin smsoptedin smsoptinstatus smssubscribed smssubscription "
    "smssubscriptionstatus smsconsent smsmarketing smsmarketingconsent acceptssmsmarketing "
    "acceptssms smspermission optinsms optedintosms texton textson textoptin textoptedin "
    "textconsent mobileoptin",
    Column.EMAIL_ON: "emailon emailoptin emailoptedin emailoptinstatus emailsubscribed "
    "emailsubscription emailsubscriptionstatus emailconsent emailmarketing "
    "emailmarketingconsent acceptsemailmarketing acceptsemail emailpermission optinemail "
    "optedintoemail",
    Column.OPT_IN: "optin optedin optinstatus subscribed subscription subscriptionstatus "
    "marketingconsent acceptsmarketing",
    Column.SMS_OPT_OUT: "smsoptout smsoptedout smsunsubscribed textoptout optoutsms "
    "hasoptedoutofsms unsubscribedfromsms donottext",
    Column.EMAIL_OPT_OUT: "emailoptout emailoptedout emailunsubscribed optoutemail "
    "hasoptedoutofemail unsubscribedfromemail unsubscribedfromallemail donotemail",
    Column.OPT_OUT: "optout optedout unsubscribed donotcontact",
    Column.SMS_BOUNCE: "smsbounce smsbounced phonebounce phonebounced",
    Column.EMAIL_BOUNCE: "emailbounce emailbounced portalbounce globalbounce",
    Column.COMPANY: "company companyname organization organisation organizationname "
    "accountname account associatedcompany defaultaddresscompany",
    Column.EXTERNAL_ID: "externalid contactid customerid recordid recordidcontact userid "
    "clientuserid klaviyoid crmid",
    Column.CONSENT_SOURCE: "consentsource optinsource",
    Column.CONSENT_AT: "consentat consentdate consenttimestamp optindate",
    Column.SMS_CONSENT_SOURCE: "smsconsentsource",
    Column.SMS_CONSENT_AT: "smsconsentat smsconsenttimestamp",
    Column.EMAIL_CONSENT_SOURCE: "emailconsentsource",
    Column.EMAIL_CONSENT_AT: "emailconsentat emailconsenttimestamp",
}

_BY_NAME = {name: column for column, names in _NAMES.items() for name in names.split()}

_FOR_NAME = {Column.NAME, Column.FIRST_NAME, Column.LAST_NAME}
_FOR_ADDRESS = {Column.MOBILE, Column.PHONE, Column.EMAIL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where each column stands, from 0, and what the header calls it."""

    header: Sequence[str]
    places: dict[Column, int]

    @property
    def unused(self) -> list[str]:
        """Named columns that mean nothing to us."""
        used = set(self.places.values())
        return [name for i, name in enumerate(self.header) if i not in used and name.strip()]

    @property
    def has_names(self) -> bool:
        """Whether any column holds names. A list of addresses alone has none."""
        return not _FOR_NAME.isdisjoint(self.places)

    def title(self, column: Column) -> str:
        """What this file calls the column."""
        return self.header[self.places[column]].strip()


def understood(header: Sequence[str]) -> int:
    """How many of these are names of columns."""
    return sum(_key(name) in _BY_NAME for name in header)


def read_header(header: Sequence[str]) -> Columns:
    """Raises `Invalid` where a column is missing, or stands there twice."""
    places: dict[Column, int] = {}
    for place, name in enumerate(header):
        column = _BY_NAME.get(_key(name))
        if column is None:
            continue
        if column in places:
            raise Invalid(
                f"Columns {places[column] + 1} and {place + 1} both mean {column}: take one away."
            )
        places[column] = place
    # What stands there is not said: without a header it is somebody's number.
    if not places.keys() & (_FOR_NAME | _FOR_ADDRESS):
        raise Invalid(
            "The first line has to name the columns, such as: name,phone,email,sms_on,email_on."
        )
    if not places.keys() & _FOR_ADDRESS:
        raise Invalid("There is no column for an address: call it phone or email.")
    # Without names, rows can say something only of addresses that are known, or refused.
    if not places.keys() - _FOR_ADDRESS:
        raise Invalid(
            "There is no column for the name (call it name, or first name and last name), and none "
            "that says yes or no, such as sms_on or email_on."
        )
    return Columns(header=header, places=places)


def _key(name: str) -> str:
    return fold(name).replace(" ", "")
