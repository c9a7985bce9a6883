"""Check the headers that every answer must carry."""

from __future__ import annotations

from collections.abc import Iterable

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "media-src": "'self'",
    "connect-src": "'self'",
    "font-src": "'self'",
    "frame-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
EXACTLY = {
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-robots-tag": "noindex, nofollow, noarchive",
}
ONCE = {*EXACTLY, "content-security-policy", "referrer-policy", "permissions-policy", "vary"}
ONCE |= {"cache-control", "content-type", "content-length", "strict-transport-security"}


def find_header_faults(headers: Iterable[tuple[str, str]], *, secure: bool = False) -> list[str]:
    """Return a word for each header of one answer that is wrong; an empty list if all are right."""
    given = [(name.lower(), value) for name, value in headers]
    names = [name for name, _ in given]
    has = dict(given)
    wrong = [f"{name} twice" for name in ONCE if names.count(name) > 1]
    wrong += [name for name, value in EXACTLY.items() if has.get(name) != value]
    wrong += [] if _is_strict(has.get("content-security-policy", "")) else ["policy"]
    if has.get("referrer-policy") not in ("same-origin", "no-referrer"):
        wrong.append("referrer-policy")
    if not {"camera=()", "geolocation=()"} <= set(has.get("permissions-policy", "").split(", ")):
        wrong.append("permissions-policy")
    if ("strict-transport-security" in has) is not secure:
        wrong.append("strict-transport-security")
    return wrong + _find_cache_faults(has)


def _is_strict(policy: str) -> bool:
    """Return whether it is our policy, or one that allows nothing by default and sandboxes."""
    directives = dict(one.partition(" ")[::2] for one in policy.split("; "))
    return directives == POLICY or (
        directives.get("default-src") == "'none'"
        and "sandbox" in directives
        and not {"script-src", "connect-src", "object-src"} & directives.keys()
    )


def _find_cache_faults(has: dict[str, str]) -> list[str]:
    is_page = has.get("content-type", "").startswith("text/html")
    keeping = set(has.get("cache-control", "").split(", "))
    if is_page:
        varies = {"HX-Request", "HX-History-Restore-Request"} <= set(
            has.get("vary", "").split(", ")
        )
        wrong = [] if varies else ["vary"]
        return wrong if keeping in ({"private", "no-cache"}, {"no-store"}) else [*wrong, "keeping"]
    return [] if keeping == {"no-store"} or "immutable" in keeping else ["keeping"]
