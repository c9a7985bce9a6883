"""Values that were used last, within a bound of their sizes."""

from __future__ import annotations

from webapp.recent import RecentValues


def test_the_values_that_were_not_used_for_longest_are_dropped() -> None:
    recent: RecentValues[str, int] = RecentValues(10)
    for number, key in enumerate("abc"):
        recent.keep(key, number, 3)
    assert recent.get("a") == 0

    recent.keep("d", 3, 4)
    assert [recent.get(key) for key in "abcd"] == [0, None, 2, 3]
    assert (len(recent), recent.size) == (3, 10)


def test_a_value_takes_the_place_of_the_one_before() -> None:
    recent: RecentValues[str, str] = RecentValues(10)
    recent.keep("a", "long", 9)
    recent.keep("a", "short", 2)
    assert (recent.get("a"), recent.size) == ("short", 2)


def test_a_value_that_is_too_large_drops_no_other() -> None:
    recent: RecentValues[str, str] = RecentValues(10, largest=4)
    recent.keep("a", "fits", 4)
    for key, size in (("b", 5), ("a", 11)):
        recent.keep(key, "too large", size)
    assert (recent.get("a"), recent.get("b")) == ("fits", None)
