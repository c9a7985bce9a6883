"""Telephone numbers of all countries are known as they are dialled from abroad."""

from __future__ import annotations

import phonenumbers

from webapp.redaction.detecting import detect

_KINDS = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)


def test_numbers_of_every_country_are_known() -> None:
    examples = [
        f"+{number.country_code} {phonenumbers.national_significant_number(number)}"
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in _KINDS
        if (number := phonenumbers.example_number_for_type(region, kind)) is not None
    ]
    # Those of four islands are shorter than other numbers of a text.
    long = [number for number in examples if len(number) > 9]

    missed = [one for one in long if not any(at.kind == "phone" for at in detect(f"x {one}"))]

    assert len(long) > 400
    assert missed == []
