"""Characters that steer terminals, reorder or hide text, or are none at all; and sizes."""

from __future__ import annotations

from typing import Final

from tools.hostile.cases import size_cases, text_cases

_ESC: Final = "\x1b"
_TAGGED: Final = "".join(chr(0xE0000 + ord(letter)) for letter in "obey me")

ANSI: Final = {
    "colours": f"{_ESC}[31mred{_ESC}[0m {_ESC}[38;5;196mmore{_ESC}[48;2;1;2;3mtrue{_ESC}[m",
    "a style that breaks out": f'{_ESC}[31"onclick="pwn()mx{_ESC}[0m {_ESC}[31;<script>m',
    "markup in colours": f"{_ESC}[31m<script>pwn()</script>{_ESC}[0m</span></pre>",
    "a link": f"{_ESC}]8;;javascript:pwn(){_ESC}\\click{_ESC}]8;;{_ESC}\\",
    "a link elsewhere": f"{_ESC}]8;id=main;https://evil.example/{_ESC}\\click{_ESC}]8;;\x07",
    "a title": f"{_ESC}]0;pwned\x07 {_ESC}]2;<script>pwn()</script>{_ESC}\\after",
    "a clipboard": f"{_ESC}]52;c;cHduZWQ={_ESC}\\after",
    "an image": f"{_ESC}]1337;File=inline=1:AAAA\x07after {_ESC}_Gf=100;AAAA{_ESC}\\end",
    "a cursor that goes back": f"safe{_ESC}[2K{_ESC}[1Gdeceiving{_ESC}[1A{_ESC}[999D over",
    "a cleared screen": f"before{_ESC}[2J{_ESC}[H{_ESC}cafter{_ESC}[?1049h",
    "hidden text": f"{_ESC}[8mhidden words{_ESC}[28m shown {_ESC}[30;40mblack on black{_ESC}[0m",
    "carriage returns": "first\rsecond\r\nthird\r\r\nfourth",
    "backspaces": "rm -rf\b\b\b\b\b\bls -l\x7f\x7f",
    "an unfinished sequence": f"before {_ESC}[38;5;",
    "an unfinished string": f"before {_ESC}]8;;https://evil.example/ and text to the end",
    "numbers beyond all": f"{_ESC}[{'9' * 5_000}mx{_ESC}[{';' * 5_000}my",
    "many sequences": f"{_ESC}[31ma{_ESC}[32mb" * 1_500,
    "eight-bit controls": "\x9b31mred\x9b0m \x9d8;;javascript:pwn()\x9cx \x90q\x9c",
    "a device string": f'{_ESC}P$q"p{_ESC}\\ {_ESC}[c{_ESC}[6n{_ESC}[>q after',
    "other sets": f"{_ESC}(0lqqk{_ESC}(B \x0eso\x0fsi {_ESC}#8",
}

UNICODE: Final = {
    "an override": "user \u202e\u2066// admin check\u2069 \u2066begin",
    "isolates without an end": "\u2066" * 300 + "after",
    "marks of direction": "\u200e\u200f\u061ca\u200eb",
    "invisible characters": "pay\u200bpal\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e\u3164\uffa0x",
    "tag characters": f"a {_TAGGED} b",
    "a flag of tags": "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "variation selectors": "a\ufe0f\ufe0eb" + "".join(map(chr, range(0xE0100, 0xE0130))),
    "private use": "a\ue000\uf8ff\U000f0000\U0010fffdb",
    "a lone high surrogate": "before \ud800 after",
    "a lone low surrogate": "before \udc00 after",
    "surrogates in the wrong order": "before \udc00\ud800 after",
    "noncharacters": "a\ufdd0b\ufdefc\ufffed\uffffe\U0001fffff\U0010ffffg",
    "marks of citations": "\u2e28\ufdd01\ufdd1\u2e29 \ufdd01\ufdd1 \u2e28\ufdd0pwned\ufdd1\u2e29",
    "NUL": "before \x00 after\x00",
    "all control characters": "".join(map(chr, range(32)))
    + "\x7f"
    + "".join(map(chr, range(128, 160))),
    "line separators": "a\u2028b\u2029c\u0085d\x0be\x0cf",
    "replacement characters": "\ufffd\ufffca\ufff9b\ufffac\ufffb",
    "stacked marks": "Z" + "\u0301\u0323\u0489" * 300 + "algo",
    "a mark at the start": "\u0301\u0338a <\u0338script\u0338>pwn()</script>",
    "a huge family": "\U0001f468\u200d" * 400 + "\U0001f469",
    "a huge cluster": "\u0e01" + "\u0e49" * 500,
    "joined letters": "\u0627\u0644\u0633\u0644\u0627\u0645 <b>\u05e9\u05dc</b> abc 123",
    "one long ligature": "\ufdfa" * 200 + "\u2031" + "\U00012031" * 50 + "\ua9c5" * 50,
    "digits of other scripts": "\u0661\u0662. a\n\u0663\u0664. b \u2460 \u00b2 \u00bd \u216b",
    "letters that fold": "\u0130\u0131 \u1e9e\u00df \ufb01 \u212a \u017f javascr\u0131pt:pwn()",
    "letters that look alike": "<\u0455cript>pwn()</\u0455cript> \u2039script\u203a",
    "a word of combining ends": "a" + "\u20dd" * 100 + "\u20e3",
    "white space of all kinds": "a\u00a0b\u1680c\u2000d\u2009e\u202ff\u205fg\u3000h\ti",
    "an emoji in tones": "\U0001f44b\U0001f3fd\U0001f468\u200d\U0001f680\U0001f1e6\U0001f1e6",
    "musical controls": "a\U0001d173\U0001d17ab\U000e0001c\u2064d\u206ae",
}

SIZES: Final = {
    "a long word": "w" * 200_000,
    "a long word of other letters": "\u4e00" * 60_000,
    "many brackets": "[" * 100_000,
    "many stars": "*a" * 50_000,
    "many lines": "a line\n" * 20_000,
    "many empty lines": "\n" * 30_000 + "end",
    "many links": "[a](https://evil.example/) " * 3_000,
    "a deep array": "[" * 50_000 + "]" * 50_000,
    "a deep object": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "a wide array": "[" + ",".join(map(str, range(20_000))) + "]",
    "a deep document": "<a>" * 20_000 + "</a>" * 20_000,
    "a wide table": "a,b,c\n" * 20_000,
    "a long fence": "```python\n" + "x = [[[((({{{'\"\n" * 8_000 + "```",
    "a long formula": "$" + "x+" * 40_000 + "x$",
    "a long number": "9" * 100_000,
    "many control characters": "\u200b\u202e" * 20_000 + "end",
    "many escapes": "\x1b[1m" * 20_000 + "end",
    "many addresses": "https://evil.example/ " * 5_000,
    "many quotes": "> " * 30_000 + "end",
    "many back quotes": "` `` " * 20_000,
}

CASES: Final = [
    *text_cases("ANSI", ANSI),
    *text_cases("Unicode", UNICODE),
    *size_cases("sizes", SIZES),
]
