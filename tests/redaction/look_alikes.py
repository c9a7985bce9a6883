"""Texts that look like secrets and are none; each kind with several of its like."""

from __future__ import annotations

import base64
import hashlib
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Final

_CHANCE: Final = random.Random(21)
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


def _pick(length: int, of: str = _LETTERS) -> str:
    return "".join(_CHANCE.choices(of, k=length))


def _hex(length: int) -> str:
    return _pick(length, "0123456789abcdef")


def _lines(length: int) -> str:
    return "\n".join(_pick(64) for _ in range(length))


KINDS: Final[dict[str, Callable[[], str]]] = {
    "uuid": lambda: str(uuid.UUID(int=_CHANCE.getrandbits(128))),
    "commit": lambda: f"commit {_hex(40)}",
    "short commit": lambda: f"fixed in {_hex(7)} and {_hex(8)}",
    "sha256": lambda: f"sha256: {hashlib.sha256(_pick(9).encode()).hexdigest()}",
    "md5": lambda: f"{_hex(32)}  file.tar.gz",
    "completion": lambda: f"chatcmpl-{_pick(29)}",
    "call": lambda: f"call_{_pick(24)}",
    "request": lambda: f"req_{_hex(32)}",
    "fingerprint": lambda: f"fp_{_hex(10)}",
    "assistant": lambda: f"asst_{_pick(24)}",
    "file": lambda: f"file-{_pick(24)}",
    "audio": lambda: f"audio_{_hex(32)}",
    "run": lambda: f"run_{_pick(24)} thread_{_pick(24)}",
    "tool use": lambda: f"toolu_{_pick(24)}",
    "message": lambda: f"msg_{_pick(24)}",
    "seed": lambda: f"seed {_CHANCE.getrandbits(62)}",
    "image": lambda: "data:image/png;base64," + base64.b64encode(_CHANCE.randbytes(900)).decode(),
    "public key": lambda: f"-----BEGIN PUBLIC KEY-----\n{_lines(4)}\n-----END PUBLIC KEY-----",
    "certificate": lambda: f"-----BEGIN CERTIFICATE-----\n{_lines(6)}\n-----END CERTIFICATE-----",
    "ssh public key": lambda: f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{_pick(43)} me@laptop",
    "placeholder": lambda: _CHANCE.choice(
        ["sk-...your-key-here", "sk-xxxxxxxxxxxxxxxxxxxxxxxx", "YOUR_API_KEY", "<your-token>"]
    ),
    "variable": lambda: _CHANCE.choice(
        ['key = os.environ["API_KEY"]', "password=${DB_PASSWORD}", "token: $TOKEN", "pw=%PW%"]
    ),
    "bearer variable": lambda: f"Authorization: Bearer ${_pick(8).upper()}_TOKEN",
    "template": lambda: f"password: {{{{ vault.{_pick(6).lower()}_password }}}}",
    "description": lambda: _CHANCE.choice(
        ["password: string, required", "token (string): the token", "secret: str | None = None"]
    ),
    "limit": lambda: f"max_tokens={_CHANCE.randint(100, 9999)}, total_tokens: 1234",
    "map": lambda: "map_tokens = tokens_by_key[key]; next_token = tokens[0]",
    "class": lambda: f"btn-primary-{_pick(5).lower()} sk-fading-circle md-container-large",
    "camel case": lambda: "getElementsByClassNameAndTokenIdentifier passwordResetTokenProvider",
    "integrity": lambda: "sha512-" + base64.b64encode(_CHANCE.randbytes(64)).decode(),
    "package": lambda: f"left-pad@1.{_CHANCE.randint(0, 9)}.0 @types/node@20.11.5",
    "path": lambda: f"https://acme.io/docs/{_hex(8)}/password-reset/tokens?page=2",
    "bucket": lambda: f"s3://bucket/logs/2024/{_hex(12)}/part-0001.parquet",
    "pod": lambda: f"web-{_hex(10)}-{_pick(5, 'bcdfghjklmnpqrstvwxz2456789')} Running",
    "digest": lambda: f"nginx@sha256:{_hex(64)}",
    "date": lambda: f"2024-0{_CHANCE.randint(1, 9)}-1{_CHANCE.randint(0, 9)}T10:20:30.123456Z",
    "version": lambda: f"1.2.3.{_CHANCE.randint(0, 99)} and 10.0.{_CHANCE.randint(0, 255)}.7",
    "isbn": lambda: "ISBN 978-3-16-148410-0",
    "order": lambda: f"order 4000 1234 5678 901{_CHANCE.choice('0123456')}",
    "time": lambda: (
        f"{_CHANCE.randint(1_600_000_000, 1_700_000_000)} {_CHANCE.randint(10**12, 10**13)}"
    ),
    "number": lambda: f"0.{_pick(16, '0123456789')} and 1e-{_CHANCE.randint(1, 9)}",
    "git remote": lambda: "git@github.com:acme/project.git",
    "mention": lambda: "@someone and @team/reviewers, cc @octo-cat",
    "code": lambda: _CHANCE.choice(
        [
            "secret = hmac.new(key, body, hashlib.sha256).hexdigest()",
            "password = request.form.get('password')",
            "token = jwt.encode(payload, settings.SECRET_KEY)",
            "self.password = password",
            "if password == confirm_password:",
        ]
    ),
    "regex": lambda: r"^(?=.*[A-Z])(?=.*\d)[A-Za-z\d@$!%*?&]{8,}$",
    "colour": lambda: f"#{_hex(6)} #{_hex(8)} rgba(1, 2, 3, 0.5)",
    "address": lambda: f"0x{_hex(40)}",
    "arn": lambda: f"arn:aws:iam::123456789012:role/service-{_pick(6)}",
    "example of AWS": lambda: "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "German": lambda: "Passwortzurücksetzung: Bitte geben Sie Ihr Passwort ein.",
    "Chinese": lambda: "密码必须至少八个字符。请输入您的密码，然后点击登录。",
    "Japanese": lambda: "パスワードは八文字以上で入力してください。",
    "reservation": lambda: f"reservation {_pick(6, 'ABCDEFGHJKLMNPQRSTUVWXYZ0123456789')}",
    "prose": lambda: _CHANCE.choice(
        [
            "The password is case-sensitive and must be changed.",
            "My secret is that I like keys and tokens.",
            "Pass: 12 of 14 tests; token usage was high.",
            "A cookie: flour, sugar and butter.",
        ]
    ),
    "role address": lambda: "write to support@example.com or user@example.com",
    "table of tests": lambda: (
        f"| test | pass | time |\n|---|---|---|\n| login | {_CHANCE.randint(10, 99)}ms | v1.2 |"
    ),
    "table of parameters": lambda: _CHANCE.choice(
        [
            "| name | token | meaning |\n|---|---|---|\n| a | string | the token of b |",
            "| Key | Action |\n|---|---|\n| Ctrl+C | copy |\n| F5 | reload |",
            "| Password policy | Value |\n|---|---|\n| length | 12+ characters |",
            "| model | tokens | secret |\n|--|--|--|\n| gpt-4o | 1,204 | no |",
        ]
    ),
    "CSV": lambda: _CHANCE.choice(
        [
            "name,tokens,cost\nlarge,1200,0.5\nsmall,300,0.1",
            "key,value,type\ncolour,#ff00aa,hex\nfont,Inter,name",
            "date,pass,fail\n2024-05-01,120,3\n2024-05-02,95.2%,4",
            "user,password\nann,<removed>\nbob,********",
        ]
    ),
    "SQL": lambda: _CHANCE.choice(
        [
            "INSERT INTO users (id, password) VALUES (?, ?);",
            "INSERT INTO users (id, password) VALUES (1, NULL), (2, DEFAULT);",
            "INSERT INTO logs (level, message) VALUES ('info', 'logged in as ann');",
            "INSERT INTO users (name, password) VALUES (:name, crypt(:password, gen_salt('bf')));",
        ]
    ),
    "manifest": lambda: _CHANCE.choice(
        [
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ntype: Opaque",
            f"apiVersion: v1\nkind: ConfigMap\ndata:\n  color: blue{_CHANCE.randint(1, 99)}",
            "kind: SecretStore\nspec:\n  provider: aws",
            "kind: Secret\ndata:\n  password: <base64>",
        ]
    ),
    "command": lambda: _CHANCE.choice(
        [
            "echo done | tee build.log",
            'echo "$SUDO_PASS" | sudo -S apt update',
            "openssl enc -aes-256-cbc -k $KEY -in a",
            "openssl rsa -in key.pem -passin env:PASS",
            "net user bob /delete",
            "kubectl create secret generic db --from-literal=password=$DB_PASSWORD",
        ]
    ),
    "change": lambda: _CHANCE.choice(
        [
            "Python was updated from 3.11.4 to 3.12.1",
            "The token type was changed from uint8 to uint16",
            "The password field was changed from optional to required.",
            "It was switched from Llama3-8B to Qwen2.5-7B",
        ]
    ),
    "languages": lambda: _CHANCE.choice(
        [
            "Hasło: co najmniej osiem znaków",
            "Adgangskode: mindst otte tegn",
            "كلمة المرور يجب أن تكون طويلة",
            "Κωδικός πρόσβασης: υποχρεωτικό πεδίο",
            "mật khẩu phải có tám ký tự",
            "Пароль: минимум восемь символов",
            "Passord må endres hver måned.",
        ]
    ),
    "element": lambda: _CHANCE.choice(
        [
            '<label for="password">Password</label>',
            '<div class="password">Forgot your password?</div>',
            '<button name="token">Send</button>',
            '<property name="password">${db.password}</property>',
        ]
    ),
    "call of a function": lambda: _CHANCE.choice(
        [
            'getpass.getpass("Password: ")',
            'describe("token", () => {',
            'validate_password("must be long")',
            'hmac.new(key, b"message", "sha256")',
            'setPassword("********")',
            "jwt.decode(token, options=OPTIONS)",
        ]
    ),
    "header": lambda: _CHANCE.choice(
        ["X-Object-Key: logs/2024/part-1.txt", "X-Cache-Key: /index.html", "X-Key: none"]
    ),
    "end of a public key": lambda: f"{_lines(3)}\n-----END PUBLIC KEY-----",
    "wireless": lambda: "WIFI:T:nopass;S:guests;;",
    "decorator": lambda: "@app.route('/login')\ndef login(): ...",
}


def iter_look_alikes() -> Iterator[tuple[str, str]]:
    """Yield four texts of each kind."""
    for kind, write in KINDS.items():
        for _ in range(4):
            yield kind, write()
