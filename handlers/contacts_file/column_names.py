"""The titles of columns, as contact and messaging systems export them.

`NAMES` has whole titles: contacts' details, and what a title says only as a whole. In lower case,
without spaces and punctuation; the best first, where a file has several. `column_words.py` reads
the titles of consent, opt-outs and bounces by their words.
"""

from __future__ import annotations

from collections.abc import Mapping

from handlers.contacts_file.columns import Column

NAMES: Mapping[Column, str] = {
    Column.NAME: "name fullname contactname customername displayname subscribername profilename "
    "personname membername contact",
    Column.FIRST_NAME: "firstname givenname forename first fname contactfirstname "
    "billingfirstname personfirstname nickname preferredname",
    Column.LAST_NAME: "lastname familyname surname last lname contactlastname billinglastname "
    "personlastname",
    Column.MOBILE: "mobile mobilephone mobilephonenumber mobilenumber mobileno cell cellphone "
    "cellphonenumber cellnumber smsphonenumber smsphone smsnumber phonemobile personphonemobile "
    "phonenumbermobile contactmobile mobiletelephone",
    Column.PHONE: "phone phonenumber primaryphone primaryphonenumber telephone telephonenumber "
    "tel phone1value phone1 msisdn subscriberphone subscriberphonenumber contactphone "
    "contactphonenumber contactnumber customerphone profilephonenumber userphone "
    "personphone phonee164 e164 phonenumbere164 channelssmsaddress "
    "phone2value phone2 phone3value phone3 phone4value phone4 phonenumbers homephone homephone2 "
    "personphonehome phonehome hometelephone businessphone businessphone2 workphone "
    "personphonework phonework worktelephone billingphone otherphone personphoneother carphone "
    "shippingphone defaultaddressphone",
    Column.EMAIL: "email emailaddress primaryemail primaryemailaddress mail mailaddress "
    "email1value email1 email1address subscriberemail subscriberemailaddress contactemail "
    "customeremail profileemail useremail channelsemailaddress personemail "
    "personemailwork emailwork workemail businessemail email2value email2 email2address "
    "email3value email3 email3address email4value homeemail personalemail personemailhome "
    "emailhome emailother personemailother otheremail billingemail emailaddresses "
    "secondaryemail additionalemail alternateemail",
    Column.COMPANY: "company companyname organization organisation organizationname "
    "organisationname accountname account businessname personorganization associatedcompany "
    "primaryassociatedcompany employer defaultaddresscompany billingcompany",
    Column.EXTERNAL_ID: "externalid contactid customerid recordid recordidcontact hsobjectid "
    "userid clientuserid klaviyoid crmid subscriberkey squarecustomerid patchcontactid "
    "givebuttercontactid",
    Column.SMS_ON: "smson sms texton textson smsmarketing textmarketing smsconsent textconsent "
    "smspermission",
    Column.EMAIL_ON: "emailon emailmarketing emailconsent emailpermission newsletter",
    Column.OPT_IN: "optin optedin optinstatus subscribed subscription subscriptionstatus "
    "marketing marketingconsent acceptsmarketing subscriberstatus",
    Column.OPT_OUT: "optout optedout unsubscribed donotcontact dnc",
    Column.EMAIL_BOUNCE: "portalbounce globalbounce",
    Column.CONSENT_SOURCE: "consentsource optinsource optinchannel optinmethod signupsource",
    Column.CONSENT_AT: "consentat consentdate consenttimestamp optindate",
    Column.SMS_CONSENT_SOURCE: "smsconsentsource",
    Column.SMS_CONSENT_AT: "smsconsentat smsconsenttimestamp",
    Column.EMAIL_CONSENT_SOURCE: "emailconsentsource",
    Column.EMAIL_CONSENT_AT: "emailconsentat emailconsenttimestamp",
    Column.STATUS: "status state liststatus contactstatus memberstatus subscriberstate",
    Column.LIST_REASON: "reason suppressionreason blockedreason cause type suppressiontype "
    "listreason reasoncode event source",
    Column.LIST_TIME: "listtime timestamp "
    "lastupdatetime lastupdatedtime created createdat createdtime date",
    Column.ELSEWHERE: "marketingcontactstatus hsmarketablestatus hslegalbasis doubleoptin "
    "addresssubscriptionstatus",
}

#: Titles whose values tell what they are: a mailbox, a phone number, or nothing about a contact.
BY_VALUES = frozenset(
    ("address", "number", "recipient", "contact", "sms", "destination", "subscriber", "user")
)

#: Of these a list of addresses alone may make use; in a file of contacts they say nothing.
ONLY_IN_LISTS = frozenset({Column.LIST_REASON, Column.LIST_TIME})
#: Times in a list that may also be those of the contact; in a provider's own list they are not.
VAGUE_TIMES = frozenset({"created", "createdat", "createdtime", "date", "timestamp"})

#: Systems that send e-mail and keep a phone number only as a detail: the columns by which one is
#: recognised, and those of its columns that speak of e-mail without saying so.
MAILERS: Mapping[str, tuple[str, str]] = {
    "Mailchimp": (
        "leid euid",
        "optintime unsubtime unsubcampaigntitle unsubcampaignid unsubreason unsubreasonother "
        "cleantime cleancampaigntitle cleancampaignid",
    ),
    "MailerLite": ("subscribed unsubscribed opens", "status subscribed unsubscribed"),
    "listmonk": ("uuid attributes status", "status"),
    "Mautic": ("donotemail dncreason", "dncreason"),
    "Salesforce Marketing Cloud": (
        "subscriberkey status",
        "status dateunsubscribed dateundeliverable",
    ),
}

#: What Mautic's `dnc_reason` counts: unsubscribed, bounced, switched off by our own side.
CODES: Mapping[str, Mapping[str, str]] = {
    "dncreason": {"1": "unsubscribed", "2": "bounced", "3": "manual suppression"},
}
#: What a word says in one system and no other: whoever never ticked the box in Shopify's checkout
#: is a "no" there.
NOT_SUBSCRIBED: Mapping[str, str] = {
    "acceptsemailmarketing": "Shopify",
    "acceptssmsmarketing": "Shopify",
}
#: Titles that phones are described under, beside "Phone 1 - Value".
LABELS = ("label", "type")
