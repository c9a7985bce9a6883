"""The snippets: one page of messages, and a completion once more, in five languages.

A snippet prints the response as it came. The calls are those of the READMEs of the official
clients; a request that a client would change, such as one with a lone surrogate or a number beyond
2^53, goes through the client's own call for raw bodies.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import urlencode

from webapp.snippets.request import CreateRequest
from webapp.snippets.writing import (
    has_inexact_number,
    has_lone_surrogate,
    quote,
    write_go,
    write_java,
    write_javascript,
    write_python,
)

OPENAI: Final = "https://api.openai.com/v1"
FILE_NAME: Final = "request.json"
"""The file in the working folder from which a snippet reads a request that is not in it."""

_PYTHON_PARAMETERS: Final = frozenset(
    ("audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs")
    + ("max_completion_tokens", "max_tokens", "messages", "metadata", "modalities", "model", "n")
    + ("parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key")
    + ("reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop")
    + ("store", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user")
    + ("verbosity", "web_search_options")
)


@dataclass(frozen=True, slots=True)
class Server:
    """An address without credentials, and the form in which the server wants its key.

    Without a `base_url` a snippet takes OPENAI_BASE_URL, or OpenAI, as the official clients do.
    `api_version` is the query that the classic API of Azure needs. `keyed_by_header` means that
    the key goes into the header `api-key`, and not into a bearer token. `is_own` means that this
    Readback is the server, at the address that the reader typed.
    """

    base_url: str | None = None
    api_version: str | None = None
    keyed_by_header: bool = False
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """One page of a completion's messages."""

    completion_id: str
    after: str | None = None
    limit: int | None = None
    order: str | None = None

    def pairs(self) -> list[tuple[str, str]]:
        named = {"after": self.after, "limit": self.limit, "order": self.order}
        return [(name, str(value)) for name, value in named.items() if value is not None]


class Language(ABC):
    """A language; `lexer` names it for colouring, `hint` says what the snippet needs."""

    name: ClassVar[str]
    label: ClassVar[str]
    lexer: ClassVar[str]
    hint: ClassVar[str]

    @abstractmethod
    def write_list(self, server: Server, query: MessageQuery) -> str:
        """Write the code that prints one page of messages."""

    @abstractmethod
    def write_create(
        self, server: Server, request: CreateRequest, *, from_file: bool = False
    ) -> str:
        """Write the code that creates the completion of `request`.

        The request is in the code, or with `from_file` read from `FILE_NAME`.
        """


class Curl(Language):
    name, label, lexer = "curl", "curl", "bash"
    hint = "For a shell such as bash or zsh."

    def write_list(self, server: Server, query: MessageQuery) -> str:
        lines = [
            f"curl -sS -G {_curl_url(server, f'/chat/completions/{query.completion_id}/messages')}",
            _curl_key(server),
            *(f"-d {name}={value}" for name, value in query.pairs()),
        ]
        return " \\\n  ".join(lines) + "\n"

    def write_create(
        self, server: Server, request: CreateRequest, *, from_file: bool = False
    ) -> str:
        lines = [
            f"curl -sS {_curl_url(server, '/chat/completions')}",
            _curl_key(server),
            '-H "Content-Type: application/json"',
        ]
        if from_file:
            return " \\\n  ".join([*lines, f"--data-binary @{FILE_NAME}"]) + "\n"
        head = " \\\n  ".join([*lines, "--data-binary @- <<'END_OF_REQUEST'"])
        return f"{head}\n{request.layout}\nEND_OF_REQUEST\n"


def _curl_url(server: Server, path: str) -> str:
    """Write the address in double quotes, in which `$` only begins the variable of the base."""
    query = f"?{urlencode({'api-version': server.api_version})}" if server.api_version else ""
    base = server.base_url or f"${{OPENAI_BASE_URL:-{OPENAI}}}"
    return f'"{base}{path}{query}"'


def _curl_key(server: Server) -> str:
    key = "api-key: $OPENAI_API_KEY" if server.keyed_by_header else None
    return f'-H "{key or "Authorization: Bearer $OPENAI_API_KEY"}"'


class Python(Language):
    name, label, lexer = "python", "Python", "python"
    hint = "Needs `pip install openai`."

    def write_list(self, server: Server, query: MessageQuery) -> str:
        values = {"after": query.after and quote(query.after), "limit": query.limit}
        values["order"] = query.order and quote(query.order)
        named = [f"    {name}={value},\n" for name, value in values.items() if value is not None]
        return _python_program(
            server,
            (),
            "response = client.chat.completions.messages.with_raw_response.list(\n"
            f"    {quote(query.completion_id)},\n{''.join(named)})\nprint(response.text)\n",
        )

    def write_create(
        self, server: Server, request: CreateRequest, *, from_file: bool = False
    ) -> str:
        text, imports = write_python(request.layout), []
        if from_file:
            text = f'Path("{FILE_NAME}").read_text(encoding="utf-8")'
            imports = ["from pathlib import Path"]
        has_all = set(request.value.names()) <= _PYTHON_PARAMETERS
        if (
            has_all
            and not has_lone_surrogate(request.json)
            and not has_inexact_number(request.json)
        ):
            return _python_program(
                server,
                ["import json", *imports],
                f"request = json.loads({text})\n"
                "response = client.chat.completions.with_raw_response.create(**request)\n"
                "print(response.text)\n",
            )
        # The text itself, since the client would refuse the request or change it.
        return _python_program(
            server,
            ["import json", *imports],
            f"request = {text}\n"
            "response = client.post(\n"
            '    "/chat/completions",\n'
            "    cast_to=object,\n"
            "    content=request.encode(),\n"
            '    options={"headers": {"Content-Type": "application/json"}},\n'
            ")\nprint(json.dumps(response))\n",
        )


def _python_program(server: Server, imports: Sequence[str], call: str) -> str:
    options = [f"base_url={quote(server.base_url)}"] if server.base_url else []
    if server.api_version:
        options.append(f'default_query={{"api-version": {quote(server.api_version)}}}')
    if server.keyed_by_header:
        options.append('default_headers={"api-key": os.environ["OPENAI_API_KEY"]}')
        imports = [*imports, "import os"]
    # `import` comes before `from`, as is usual.
    ranked = sorted(imports, key=lambda line: (line.startswith("from"), line))
    head = "".join(f"{one}\n" for one in ranked) + "\n" * bool(imports)
    client = f"client = OpenAI({', '.join(options)})"
    return f"{head}from openai import OpenAI\n\n{client}\n\n{call}"


class Node(Language):
    name, label, lexer = "node", "Node", "javascript"
    hint = "Needs `npm install openai`, in a file ending in `.mjs`."

    def write_list(self, server: Server, query: MessageQuery) -> str:
        values = {"after": query.after and quote(query.after), "limit": query.limit}
        values["order"] = query.order and quote(query.order)
        named = ", ".join(f"{name}: {value}" for name, value in values.items() if value is not None)
        options = f", {{ {named} }}" if named else ""
        return (
            f"{_node_client(server)}\n"
            "const response = await client.chat.completions.messages\n"
            f"  .list({quote(query.completion_id)}{options})\n"
            "  .asResponse();\n"
            "console.log(await response.text());\n"
        )

    def write_create(
        self, server: Server, request: CreateRequest, *, from_file: bool = False
    ) -> str:
        client = _node_client(server)
        text = write_javascript(request.layout)
        if from_file:
            client = f'import {{ readFileSync }} from "node:fs";\n{client}'
            text = f'readFileSync("{FILE_NAME}", "utf8")'
        if has_inexact_number(request.json):
            # Numbers of JavaScript are doubles: the text itself is sent.
            return (
                f"{client}\nconst request = {text};\n"
                "const response = await client\n"
                '  .post("/chat/completions", {\n'
                "    body: request,\n"
                '    headers: { "Content-Type": "application/json" },\n'
                "  })\n"
                "  .asResponse();\n"
                "console.log(await response.text());\n"
            )
        return (
            f"{client}\nconst request = JSON.parse({text});\n"
            "const response = await client.chat.completions.create(request).asResponse();\n"
            "console.log(await response.text());\n"
        )


def _node_client(server: Server) -> str:
    options = [f"baseURL: {quote(server.base_url)}"] if server.base_url else []
    if server.api_version:
        options.append(f'defaultQuery: {{ "api-version": {quote(server.api_version)} }}')
    if server.keyed_by_header:
        options.append('defaultHeaders: { "api-key": process.env.OPENAI_API_KEY }')
    given = f"{{ {', '.join(options)} }}" if options else ""
    return f'import OpenAI from "openai";\n\nconst client = new OpenAI({given});\n'


class Go(Language):
    name, label, lexer = "go", "Go", "go"
    hint = "Needs `go get github.com/openai/openai-go/v3`."

    def write_list(self, server: Server, query: MessageQuery) -> str:
        fields = []
        if query.after is not None:
            fields.append(f"After: openai.String({quote(query.after)})")
        if query.limit is not None:
            fields.append(f"Limit: openai.Int({query.limit})")
        if query.order is not None:
            fields.append(
                f"Order: openai.ChatCompletionMessageListParamsOrder{query.order.title()}"
            )
        given = "".join(f"\n\t\t\t{one}," for one in fields) + ("\n\t\t" if fields else "")
        return _go_program(
            server,
            [],
            "\tpage, err := client.Chat.Completions.Messages.List(\n"
            "\t\tcontext.Background(),\n"
            f"\t\t{quote(query.completion_id)},\n"
            f"\t\topenai.ChatCompletionMessageListParams{{{given}}},\n"
            "\t)\n\tif err != nil {\n\t\tpanic(err)\n\t}\n\tfmt.Println(page.RawJSON())\n",
        )

    def write_create(
        self, server: Server, request: CreateRequest, *, from_file: bool = False
    ) -> str:
        text = f"\trequest := []byte({write_go(request.layout)})\n"
        if from_file:
            text = (
                f"\trequest, err := os.ReadFile({quote(FILE_NAME)})\n"
                "\tif err != nil {\n\t\tpanic(err)\n\t}\n"
            )
        return _go_program(
            server,
            ["encoding/json", *(["os"] if from_file else [])],
            f"{text}"
            "\tcompletion, err := client.Chat.Completions.New(\n"
            "\t\tcontext.Background(),\n"
            "\t\tparam.Override[openai.ChatCompletionNewParams](json.RawMessage(request)),\n"
            "\t)\n\tif err != nil {\n\t\tpanic(err)\n\t}\n\tfmt.Println(completion.RawJSON())\n",
        )


def _go_program(server: Server, imports: list[str], call: str) -> str:
    options = [f"option.WithBaseURL({quote(server.base_url)})"] if server.base_url else []
    if server.api_version:
        options.append(f'option.WithQuery("api-version", {quote(server.api_version)})')
    if server.keyed_by_header:
        imports = [*imports, "os"]
        options.append('option.WithHeader("api-key", os.Getenv("OPENAI_API_KEY"))')
    given = "".join(f"\n\t\t{one}," for one in options)
    clients = ["github.com/openai/openai-go/v3"]
    clients += ["github.com/openai/openai-go/v3/option"] if options else []
    clients += ["github.com/openai/openai-go/v3/packages/param"] if "param." in call else []
    listed = "".join(f"\t{quote(one)}\n" for one in sorted({"context", "fmt", *imports}))
    theirs = "".join(f"\t{quote(one)}\n" for one in clients)
    return (
        f"package main\n\nimport (\n{listed}\n{theirs})\n\nfunc main() {{\n"
        f"\tclient := openai.NewClient({given}{chr(10) + chr(9) if options else ''})\n{call}}}\n"
    )


class Java(Language):
    name, label, lexer = "java", "Java", "java"
    hint = "Needs the library `com.openai:openai-java`."

    def write_list(self, server: Server, query: MessageQuery) -> str:
        package = "com.openai.models.chat.completions.messages"
        options = f"\n            .completionId({quote(query.completion_id)})"
        if query.after is not None:
            options += f"\n            .after({quote(query.after)})"
        if query.limit is not None:
            options += f"\n            .limit({query.limit}L)"
        if query.order is not None:
            options += f"\n            .order(MessageListParams.Order.{query.order.upper()})"
        return _java_program(
            server,
            [f"{package}.MessageListParams"],
            f"        MessageListParams params = MessageListParams.builder(){options}\n"
            "            .build();\n"
            "        try (HttpResponse response =\n"
            "                client.chat().completions().messages().withRawResponse()"
            ".list(params)) {\n",
        )

    def write_create(
        self, server: Server, request: CreateRequest, *, from_file: bool = False
    ) -> str:
        text = write_java(request.layout)
        imports = [
            *("com.fasterxml.jackson.databind.JsonNode", "com.openai.core.JsonValue"),
            "com.fasterxml.jackson.databind.ObjectMapper",
            "com.openai.models.chat.completions.ChatCompletionCreateParams",
        ]
        if from_file:
            text = f"Files.readString(Path.of({quote(FILE_NAME)}))"
            imports += ["java.nio.file.Files", "java.nio.file.Path"]
        return _java_program(
            server,
            [*imports, "java.util.Iterator"],
            f"        String json = {text};\n"
            "        JsonNode request = new ObjectMapper().readTree(json);\n"
            "        ChatCompletionCreateParams.Builder params = "
            "ChatCompletionCreateParams.builder()\n"
            '            .model(request.get("model").asText())\n'
            '            .messages(JsonValue.from(request.get("messages")));\n'
            "        for (Iterator<String> names = request.fieldNames(); names.hasNext();) {\n"
            "            String name = names.next();\n"
            '            if (!name.equals("model") && !name.equals("messages")) {\n'
            "                params.putAdditionalBodyProperty(\n"
            "                    name, JsonValue.from(request.get(name)));\n"
            "            }\n"
            "        }\n"
            "        try (HttpResponse response =\n"
            "                client.chat().completions().withRawResponse()"
            ".create(params.build())) {\n",
        )


def _java_program(server: Server, imports: list[str], call: str) -> str:
    options = ".fromEnv()"
    if server.base_url:
        options += f"\n            .baseUrl({quote(server.base_url)})"
    if server.api_version:
        options += f'\n            .putQueryParam("api-version", {quote(server.api_version)})'
    if server.keyed_by_header:
        options += '\n            .putHeader("api-key", System.getenv("OPENAI_API_KEY"))'
    named = [
        *("com.openai.client.OpenAIClient", "com.openai.client.okhttp.OpenAIOkHttpClient"),
        *("com.openai.core.http.HttpResponse", "java.nio.charset.StandardCharsets", *imports),
    ]
    listed = "".join(f"import {one};\n" for one in sorted(named))
    return (
        f"{listed}\npublic class Readback {{\n"
        "    public static void main(String[] args) throws Exception {\n"
        "        OpenAIClient client = OpenAIOkHttpClient.builder()\n"
        f"            {options}\n            .build();\n{call}"
        "            System.out.println(\n"
        "                new String(response.body().readAllBytes(), StandardCharsets.UTF_8));\n"
        "        }\n    }\n}\n"
    )


LANGUAGES: Final[Mapping[str, Language]] = {
    one.name: one for one in (Curl(), Python(), Node(), Go(), Java())
}
