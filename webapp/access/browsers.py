"""Name a browser roughly, so that people recognize their own in a list."""

from __future__ import annotations

from typing import Final

# The first that is contained in the header; most browsers also say that they are others.
_BROWSERS: Final = {
    "Edg/": "Edge",
    "EdgA/": "Edge",
    "EdgiOS/": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
    "curl/": "curl",
}
_SYSTEMS: Final = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def describe_browser(user_agent: str, *, otherwise: str = "A browser") -> str:
    """Describe the browser that sent the header User-Agent, in words such as "Firefox on Linux".

    `otherwise` is the word for one that is not known.
    """
    browser = next((name for sign, name in _BROWSERS.items() if sign in user_agent), None)
    system = next((name for sign, name in _SYSTEMS.items() if sign in user_agent), None)
    browser = browser or otherwise
    return f"{browser} on {system}" if system else browser
