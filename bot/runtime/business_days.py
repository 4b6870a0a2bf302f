"""Deadlines in business days of the United States: Monday to Friday, without federal holidays."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

#: A probable refusal that nobody read counts as one then (rules.md §10).
REVIEW_DAYS = 5
#: A refusal has to be honoured within these (47 CFR 64.1200(a)(10), CAN-SPAM).
HONOUR_DAYS = 10


def honour_deadline(at: datetime) -> datetime:
    """The same time of day, ten business days later. Days are UTC's."""
    return after_business_days(at, HONOUR_DAYS)


def review_deadline(at: datetime) -> datetime:
    """The same time of day, five business days later. Days are UTC's."""
    return after_business_days(at, REVIEW_DAYS)


def after_business_days(at: datetime, days: int) -> datetime:
    """The same time of day, so many business days later."""
    holidays = _federal_holidays()
    while days:
        at += timedelta(days=1)
        if at.weekday() < 5 and at.date() not in holidays:
            days -= 1
    return at


@cache
def _federal_holidays() -> HolidayBase:
    """With the days on which those that fall on a weekend are observed; years are worked out as
    they are asked for."""
    # Here, since it takes a tenth of a second, and most processes never need it.
    from holidays import country_holidays

    return country_holidays("US")
