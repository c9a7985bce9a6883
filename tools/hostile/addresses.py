"""Addresses that lead where no link may lead, in every way that a text can hold a link."""

from __future__ import annotations

from typing import Final

from tools.hostile.cases import Case, message_case

ADDRESSES: Final = {
    "javascript": "javascript:pwn()",
    "javascript in mixed case": "JaVaScRiPt:pwn()",
    "javascript behind a space": " javascript:pwn()",
    "javascript behind a control character": "\x01javascript:pwn()",
    "javascript with a tab": "java\tscript:pwn()",
    "javascript with a line break": "java\nscript:pwn()",
    "javascript with a carriage return": "java\rscript:pwn()",
    "javascript with NUL": "java\x00script:pwn()",
    "javascript with entities": "&#106;avascript&colon;pwn()",
    "javascript encoded": "%6Aavascript:pwn()",
    "javascript encoded twice": "%256Aavascript%253Apwn()",
    "javascript with a comment": "javascript://evil.example/%0Apwn()",
    "javascript in a full-width colon": "javascript\uff1apwn()",
    "javascript behind a soft hyphen": "java\u00adscript:pwn()",
    "data with HTML": "data:text/html,<script>pwn()</script>",
    "data in base64": "data:text/html;base64,PHNjcmlwdD5wd24oKTwvc2NyaXB0Pg==",
    "data with a vector image": "data:image/svg+xml,<svg onload=pwn()>",
    "vbscript": "vbscript:msgbox(1)",
    "blob": "blob:https://evil.example/0d9ee0a4",
    "file": "file:///etc/passwd",
    "feed": "feed:javascript:pwn()",
    "intent": "intent://evil.example#Intent;scheme=https;end",
    "view-source": "view-source:https://evil.example/",
    "about": "about:srcdoc",
    "a jar": "jar:https://evil.example!/x.html",
    "an extension": "chrome-extension://abcdef/x.html",
    "a settings page": "chrome://settings",
    "an editor": "vscode://file/etc/passwd",
    "mail with headers": "mailto:a@evil.example?cc=b@evil.example%0D%0ABcc:c@evil.example",
    "a phone": "tel:+15555550123",
    "a web socket": "wss://evil.example/",
    "ftp": "ftp://evil.example/x",
    "no scheme": "//evil.example/pwned",
    "three slashes": "///evil.example/pwned",
    "back slashes": "\\\\evil.example\\pwned",
    "a slash and a back slash": "/\\evil.example/pwned",
    "one slash": "https:/evil.example/pwned",
    "no slash": "https:evil.example/pwned",
    "a back slash in the host": "https://good.example\\@evil.example/",
    "a path of ours": "/completions/pwned",
    "the way out": "/logout",
    "a relative path": "pwned/x",
    "a path upwards": "../../pwned",
    "a query": "?pwned=1",
    "a fragment": "#main",
    "nothing": "",
    "our host": "http://localhost/pwned",
    "our host with a dot": "http://localhost./pwned",
    "our host in capitals": "HTTP://LOCALHOST/pwned",
    "our host by its standard port": "http://localhost:80/pwned",
    "a user": "https://good.example@evil.example/",
    "a user and a password": "https://sk-key:secret@evil.example/",
    "an encoded at-sign": "https://good.example%40evil.example/",
    "a homograph": "https://\u0430pple.example/",
    "a homograph in punycode": "https://xn--pple-43d.example/",
    "a host of full-width letters": "https://\uff45vil.example/",
    "a full stop of another script": "https://evil\u3002example/",
    "a host that is reversed": "https://\u202eelpmaxe.live/",
    "a host with a joiner": "https://ev\u200bil.example/",
    "a host that is a number": "http://2130706433/pwned",
    "a host in octal": "http://0177.0.0.1/pwned",
    "a broken IPv6 host": "http://[::1",
    "an IPv6 host with a zone": "http://[fe80::1%25eth0]/",
    "a port beyond all": "https://evil.example:99999/",
    "a port that is no number": "https://evil.example:x/",
    "a host with underscores": "https://_dmarc.evil_example.example/",
    "a label that is too long": f"https://{'a' * 64}.example/",
    "an address that is too long": "https://evil.example/" + "a" * 9000,
    "a line break in the path": "https://evil.example/\r\nSet-Cookie:%20pwned=1",
    "encoded line breaks": "https://evil.example/%0d%0aSet-Cookie:%20pwned=1",
    "quotes in the path": "https://evil.example/\"onmouseover=pwn()//'><script>pwn()</script>",
    "a right-to-left path": "https://evil.example/\u202etxt.exe",
    "a space in the path": "https://evil.example/a b",
    "a lone surrogate": "https://evil.example/\ud800",
}


def _case(name: str, address: str) -> Case:
    """The address in all kinds of links of Markdown, in a part and in a citation."""
    ways = (
        f"[plain]({address})",
        f"[angles](<{address}>)",
        f'[title]({address} "a title")',
        f"![image]({address})",
        f"[![image]({address})]({address})",
        f"<{address}>",
        f"bare {address} text",
        f"[reference][at]\n\n[at]: {address}\n\n[at]: <{address}> 'again'",
        f"[{address}](https://evil.example/shown-as-another)",
        f'<a href="{address}">tag</a>',
    )
    cited = {"url": address, "title": address, "start_index": 0, "end_index": 5}
    message = {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "\n\n".join(ways)},
            {"type": "image_url", "image_url": {"url": address}},
            {"type": "document_url", "document_url": {"url": address}},
        ],
        "annotations": [
            {"type": "url_citation", "url_citation": cited},
            {"type": "file_citation", "url": address},
        ],
    }
    return message_case(f"addresses: {name}", message, address)


CASES: Final = [_case(name, address) for name, address in ADDRESSES.items()]
