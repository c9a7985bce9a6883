"""Settings that are read, settings that are refused, and the one line that says why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_network
from operator import attrgetter
from pathlib import Path

import certifi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from webapp.config import SETTINGS, Config, ConfigError, Setting
from webapp.config import settings as declared

SECRET = "sk-4f9a-never-show-this"
LONG_PATH = "/" + "x" * 5000
PROXIES = (ip_network("127.0.0.1"), ip_network("::1"), ip_network("10.0.0.0/8"))
DESCRIBED_DEFAULTS = {"OPENAI_BASE_URL", "DATABASE_URL", "SECRET_KEY", "READBACK_UPSTREAM_DAYS"}
"""The settings whose default is not a value of the field."""


def config(**environ: str) -> Config:
    return Config.from_environ(environ)


def refusal(**environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config(**environ)
    return str(caught.value)


def test_an_empty_environment_gives_the_defaults() -> None:
    assert config() == Config()
    assert config(HOST=" ", OPENAI_API_KEY="", READBACK_PROXY="\n") == Config()


def test_two_different_settings_of_one_name_are_refused() -> None:
    @dataclass
    class Inner:
        port: int = declared.setting("READBACK_X", int, default=1, help="One.")

    @dataclass
    class Outer:
        inner: Inner = declared.nested(Inner)
        other: int = declared.setting("READBACK_X", int, default=2, help="Two.")

    assert [one.name for one in declared.list_settings(Inner)] == ["READBACK_X"]
    with pytest.raises(ValueError, match="READBACK_X"):
        declared.list_settings(Outer)


def test_every_setting_helps_in_one_line() -> None:
    assert len(SETTINGS) > 40
    assert all(re.fullmatch(r"[A-Z1][^\n]+\.", setting.help) for setting in SETTINGS)


def test_the_defaults_in_the_table_are_the_real_ones() -> None:
    """A default that is written as a value gives, when set, the configuration without it."""
    for setting in SETTINGS:
        if setting.default_text and setting.name not in DESCRIBED_DEFAULTS:
            assert config(**{setting.name: setting.default_text}) == Config()


def test_a_setting_of_two_values_reaches_both() -> None:
    both = config(READBACK_CONNECT_TIMEOUT="7")

    assert both.limits.connect_timeout == both.model_limits.connect_timeout == 7.0


@pytest.mark.parametrize(
    ("name", "raw", "attribute", "value"),
    [
        ("OPENAI_API_KEY", f" {SECRET}\n", "openai_api_key", SECRET),
        ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1", "openai_base_url", "http://127.0.0.1:9/v1"),
        ("OPENAI_BASE_URL", "http://[::1]:9/v1", "openai_base_url", "http://[::1]:9/v1"),
        ("OPENAI_ORG_ID", "org-1", "openai_org_id", "org-1"),
        ("OPENAI_PROJECT_ID", "proj_1", "openai_project_id", "proj_1"),
        ("OPENAI_API_VERSION", "2025-02-01-preview", "openai_api_version", "2025-02-01-preview"),
        ("DATABASE_URL", "sqlite:////tmp/a b.db", "database_url", "sqlite:////tmp/a b.db"),
        ("DATABASE_URL", "postgresql+psycopg2://h/d", "database_url", "postgresql+psycopg2://h/d"),
        ("SECRET_KEY", "s3cret", "secret_key", "s3cret"),
        ("HOST", "localhost", "host", "localhost"),
        ("HOST", "[::1]", "host", "::1"),
        ("PORT", "65535", "port", 65535),
        ("READBACK_OPEN", "YES", "open", True),
        ("READBACK_OPEN", "0", "open", False),
        ("READBACK_CONVERSATION_KEYS", "run, chat,run", "conversation_keys", ("run", "chat")),
        ("READBACK_CONVERSATION_KEYS", "none", "conversation_keys", ()),
        ("READBACK_ALLOWED_HOSTS", "A.example, b:8000,", "allowed_hosts", ("a.example", "b:8000")),
        ("READBACK_TRUSTED_PROXIES", "127.0.0.1, ::1,10.0.0.0/8", "trusted_proxies", PROXIES),
        ("READBACK_TRUSTED_PROXIES", "127.0.0.1 ::1\n10.0.0.0/8", "trusted_proxies", PROXIES),
        ("READBACK_PREFIX", "/a/b/", "prefix", "/a/b"),
        ("READBACK_PREFIX", "/", "prefix", ""),
        ("READBACK_STORE_ALL", "1", "stores_all", True),
        ("READBACK_WORKERS", "1", "workers", 1),
        ("READBACK_THREADS", "512", "threads", 512),
        ("READBACK_CONNECT_TIMEOUT", "0.05", "limits.connect_timeout", 0.05),
        ("READBACK_READ_TIMEOUT", "3600", "limits.read_timeout", 3600.0),
        ("READBACK_PAGE_TIMEOUT", "12.5", "limits.page_timeout", 12.5),
        ("READBACK_MAX_RETRIES", "0", "limits.max_retries", 0),
        ("READBACK_MAX_BYTES", "1024", "limits.max_bytes", 1024),
        ("READBACK_MEDIA_CACHE_BYTES", "0", "media_cache_bytes", 0),
        ("READBACK_MEDIA_CACHE_SECONDS", "60", "media_cache_seconds", 60),
        ("READBACK_MODEL_TIMEOUT", "30", "model_limits.read_timeout", 30.0),
        ("READBACK_MAX_ROWS", "7", "budgets.rows", 7),
        ("READBACK_RENDER_TIMEOUT", "2", "budgets.seconds", 2.0),
        (
            "READBACK_PROXY",
            "http://u:p@proxy.example:3128",
            "proxy",
            "http://u:p@proxy.example:3128",
        ),
        ("READBACK_CA_BUNDLE", certifi.where(), "ca_bundle", certifi.where()),
        *(
            ("RATELIMIT_STORAGE_URI", f"{raw}://valkey:6379", "access.rate_limit_storage", parsed)
            for raw, parsed in (
                ("valkey", "redis://valkey:6379"),
                ("valkeys", "rediss://valkey:6379"),
                ("redis", "redis://valkey:6379"),
            )
        ),
    ],
)
def test_a_setting_is_read(name: str, raw: str, attribute: str, value: object) -> None:
    assert attrgetter(attribute)(config(**{name: raw})) == value


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("OPENAI_API_KEY", "two words"),
        ("OPENAI_API_KEY", "sk-\u00e9"),
        ("OPENAI_API_KEY", "sk-\nInjected: 1"),
        ("OPENAI_BASE_URL", "api.openai.com/v1"),
        ("OPENAI_BASE_URL", "ftp://api.example"),
        ("OPENAI_BASE_URL", "https://"),
        ("OPENAI_BASE_URL", "https://[::1"),
        ("OPENAI_BASE_URL", "https://a.example:port"),
        ("OPENAI_BASE_URL", "https://a.example:99999"),
        ("OPENAI_BASE_URL", "https://a example/v1"),
        ("OPENAI_BASE_URL", "https://a\t.example/v1"),
        ("OPENAI_BASE_URL", "https://user:pass@a.example/v1"),
        ("OPENAI_BASE_URL", "https://@a.example/v1"),
        ("OPENAI_BASE_URL", "https://a.example/v1/chat/completions"),
        ("OPENAI_BASE_URL", "https://a.example/v1#top"),
        ("OPENAI_BASE_URL", "http://a.example/v1"),
        ("OPENAI_BASE_URL", "http://127.0.0.1.a.example/v1"),
        ("OPENAI_ORG_ID", "org 1"),
        ("OPENAI_PROJECT_ID", "a\tb"),
        ("AZURE_OPENAI_ENDPOINT", "RESOURCE"),
        ("AZURE_OPENAI_ENDPOINT", "https://RESOURCE.openai.azure.com?x=1"),
        ("AZURE_OPENAI_ENDPOINT", "http://RESOURCE.openai.azure.com"),
        ("AZURE_OPENAI_API_KEY", "a b"),
        ("OPENAI_API_VERSION", "2025 02"),
        ("DATABASE_URL", "/var/lib/readback.sqlite3"),
        ("READBACK_READ_DATABASE_URL", "sqlite:////var/lib/replica.sqlite3"),
        ("READBACK_READ_DATABASE_URL", "postgresql+psycopg2://replica/readback"),
        ("SECRET_KEY", "s p a c e"),
        ("HOST", "a/b"),
        ("HOST", "[]"),
        ("HOST", "a host"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "80.0"),
        ("PORT", "-1"),
        ("PORT", "٣"),
        ("PORT", "9" * 5000),
        ("READBACK_OPEN", "maybe"),
        ("READBACK_PASSWORD_HASH", "correct horse battery"),
        ("READBACK_PASSWORD_HASH", f"scrypt:32768:8:1$saltsalt$ {'0' * 128}"),
        ("READBACK_PASSWORD_HASH", f"scrypt:2:8:1$saltsalt${'0' * 128}"),
        ("READBACK_PASSWORD_HASH", f"scrypt:32768:0:1$saltsalt${'0' * 128}"),
        ("READBACK_PASSWORD_HASH", f"scrypt:1048576:99:1$saltsalt${'0' * 128}"),
        ("READBACK_OIDC_ISSUER", "http://provider.example"),
        ("READBACK_OIDC_ISSUER", "https://provider.example?tenant=1"),
        ("READBACK_OIDC_ALLOWED", "*"),
        ("READBACK_OIDC_ALLOWED", "@example.com"),
        ("READBACK_OIDC_ALLOWED", "com"),
        ("READBACK_OIDC_ALLOWED", "a.example, b.example\nc.example"),
        ("READBACK_OIDC_ALLOWED", "a.example, b\u200b.example"),
        ("READBACK_PROXY_USER_HEADER", "X User"),
        ("READBACK_ADMINS", "two words"),
        ("READBACK_ADMINS", "ann, bob\ncarl"),
        ("READBACK_SESSION_SECONDS", "0"),
        ("RATELIMIT_STORAGE_URI", "file:///tmp"),
        ("RATELIMIT_STORAGE_URI", "redis://127.0.0.1:65536"),
        ("RATELIMIT_STORAGE_URI", "redis://127.0.0.1:port"),
        ("RATELIMIT_STORAGE_URI", "redis://[::1"),
        ("READBACK_ALLOWED_HOSTS", ","),
        ("READBACK_ALLOWED_HOSTS", "https://a.example"),
        ("READBACK_ALLOWED_HOSTS", "a.example/x"),
        ("READBACK_TRUSTED_PROXIES", "proxy.example"),
        ("READBACK_TRUSTED_PROXIES", "10.0.0.1/33"),
        ("READBACK_TRUSTED_PROXIES", ","),
        ("READBACK_PREFIX", "readback"),
        ("READBACK_PREFIX", "//a.example"),
        ("READBACK_PREFIX", "/a/../b"),
        ("READBACK_PREFIX", "/a?b"),
        ("READBACK_PREFIX", "/v1"),
        ("READBACK_PREFIX", "/completions/a"),
        ("READBACK_HEADERS", "X-One"),
        ("READBACK_HEADERS", "X-One:"),
        ("READBACK_HEADERS", "X One: 1"),
        ("READBACK_HEADERS", "X-One: \u00e9"),
        ("READBACK_HEADERS", "X-One: 1\nx-one: 2"),
        ("READBACK_HEADERS", "Host: a.example"),
        ("READBACK_HEADERS", '{"X-One": 1}'),
        ("READBACK_HEADERS", '{"X-One": "a\\r\\nX-Two: b"}'),
        ("READBACK_HEADERS", '{"X-One": "1"'),
        ("READBACK_MODEL_HEADERS", "Transfer-Encoding: chunked"),
        ("READBACK_WORKERS", "0"),
        ("READBACK_THREADS", "many"),
        ("READBACK_CONNECT_TIMEOUT", "0"),
        ("READBACK_CONNECT_TIMEOUT", "nan"),
        ("READBACK_READ_TIMEOUT", "1e3"),
        ("READBACK_PAGE_TIMEOUT", "3601"),
        ("READBACK_MAX_RETRIES", "11"),
        ("READBACK_MAX_BYTES", "64MB"),
        ("READBACK_MEDIA_CACHE_BYTES", "-1"),
        ("READBACK_MEDIA_CACHE_SECONDS", "0"),
        ("READBACK_PROXY", "proxy.example:3128"),
        ("READBACK_PROXY", "socks5://proxy.example"),
        ("READBACK_PROXY", "http://[proxy"),
        ("READBACK_CA_BUNDLE", "/does/not/exist.pem"),
        ("READBACK_CA_BUNDLE", "/"),
        ("READBACK_CA_BUNDLE", __file__),
        ("READBACK_CA_BUNDLE", LONG_PATH),
    ],
)
def test_a_bad_value_is_refused_in_one_line_that_names_its_variable(name: str, raw: str) -> None:
    said = refusal(**{name: raw})

    assert re.fullmatch(rf"{name} takes (a|an|the|text|printable|host|1)\b[^\n]*", said)


def test_every_setting_has_a_value_it_refuses() -> None:
    for setting in SETTINGS:
        assert refusal(**{setting.name: "\x07"}).startswith(f"{setting.name} takes ")


@given(st.sampled_from(SETTINGS), st.text())
@checked
def test_any_text_is_a_value_or_one_line(setting: Setting, raw: str) -> None:
    try:
        Config.from_environ({setting.name: raw})
    except ConfigError as problem:
        assert len(str(problem).splitlines()) == 1


def test_a_setting_can_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{SECRET}\n", encoding="utf-8")

    assert config(OPENAI_API_KEY_FILE=str(file)).openai_api_key == SECRET

    # As editors on Windows save it.
    file.write_text(f"\ufeff{SECRET}\r\n", encoding="utf-8")
    assert config(OPENAI_API_KEY_FILE=str(file)).openai_api_key == SECRET


def test_every_setting_can_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "value"
    file.write_text("\x07", encoding="utf-8")

    for setting in SETTINGS:
        assert refusal(**{f"{setting.name}_FILE": str(file)}).startswith(f"{setting.name} takes ")


def test_an_empty_file_counts_as_not_set(tmp_path: Path) -> None:
    file = tmp_path / "empty"
    file.write_text("\n", encoding="utf-8")

    assert config(OPENAI_API_KEY_FILE=str(file)) == Config()


def test_a_value_and_a_file_for_it_exclude_each_other(tmp_path: Path) -> None:
    said = refusal(OPENAI_API_KEY=SECRET, OPENAI_API_KEY_FILE=str(tmp_path / "key"))

    assert said == "OPENAI_API_KEY and OPENAI_API_KEY_FILE are both set; set one of them"


def test_a_file_that_cannot_be_read_is_named_by_its_variable(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")

    for path in (str(tmp_path / "missing"), str(tmp_path), str(binary), "/a\nb", LONG_PATH):
        said = refusal(PORT_FILE=path)
        assert said.startswith("PORT_FILE names a file that cannot be read: ")
        assert "\n" not in said


def test_a_file_without_end_is_not_read_to_it(tmp_path: Path) -> None:
    long, blank = tmp_path / "long", tmp_path / "blank"
    long.write_text("x" * 100_000, encoding="utf-8")
    blank.write_text("sk-a" + "\n" * 100_000 + "b", encoding="utf-8")

    for path in (str(long), str(blank), "/dev/zero"):
        said = refusal(OPENAI_API_KEY_FILE=path)
        assert said == "OPENAI_API_KEY_FILE names a file of more than 65,536 characters"
    assert config(OPENAI_API_KEY="x" * 100_000).openai_api_key == "x" * 100_000


def test_a_bad_secret_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{SECRET} {SECRET}", encoding="utf-8")

    for name in ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "SECRET_KEY"):
        assert SECRET not in refusal(**{name: f"{SECRET} {SECRET}"})
        assert SECRET not in refusal(**{f"{name}_FILE": str(file)})


def test_secrets_are_not_in_the_repr() -> None:
    openai = config(
        OPENAI_API_KEY=SECRET,
        SECRET_KEY=SECRET,
        DATABASE_URL=f"postgresql://reader:{SECRET}@db.example/readback",
        READBACK_READ_DATABASE_URL=f"postgresql://reader:{SECRET}@replica.example/readback",
        READBACK_PROXY=f"http://user:{SECRET}@proxy.example",
        OPENAI_BASE_URL=f"https://a.example/v1?key={SECRET}",
        READBACK_HEADERS=f"X-Key: {SECRET}",
        READBACK_MODEL_URL=f"https://a.example/v1?key={SECRET}",
        READBACK_MODEL_HEADERS=f"X-Key: {SECRET}",
    )
    azure = config(AZURE_OPENAI_API_KEY=SECRET, AZURE_OPENAI_ENDPOINT="https://r.example")

    assert SECRET not in repr(openai) + str(openai) + repr(azure)
    assert "port=8000" in repr(openai)


def test_the_scheme_of_an_address_is_written_in_any_case() -> None:
    found = config(OPENAI_BASE_URL="HTTPS://api.Example.com/v1?Key=A", OPENAI_API_KEY=SECRET)

    assert found.openai_base_url == "https://api.Example.com/v1?Key=A"
    azure = config(AZURE_OPENAI_API_KEY=SECRET, AZURE_OPENAI_ENDPOINT="Https://r.example")
    assert azure.azure_openai_endpoint == "https://r.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql+psycopg://h/db?user=u&password=s3cret%40word"),
        ("DATABASE_URL", "postgresql+psycopg://u:s3cret%40word@h/db?sslpassword=two@three"),
        ("DATABASE_URL", "postgresql+psycopg://u:s3cret@word@h/db"),
        ("READBACK_MODEL_URL", "https://a.example/v1?api-version=2&api-key=s3cret%40word"),
        ("OPENAI_BASE_URL", "https://a.example/v1?code=s3cret%40word&design=minimalist"),
        ("READBACK_PROXY", "http://u:s3cret%40word@proxy.example"),
        ("SECRET_KEY", "s3cret@word-s3cret@word-s3cret@word-s3cret@word"),
    ],
)
def test_the_secrets_of_each_setting_are_known_to_be_masked(name: str, value: str) -> None:
    secrets = config(**{name: value}).secrets

    assert (value if "://" not in value else "s3cret@word") in secrets
    assert secrets and "minimalist" not in secrets and "2" not in secrets


OIDC = {
    "READBACK_OIDC_ISSUER": "https://provider.example",
    "READBACK_OIDC_CLIENT_ID": "readback",
    "READBACK_OIDC_CLIENT_SECRET": SECRET,
    "READBACK_OIDC_ALLOWED": "Example.com, ann@other.example",
}


def test_a_provider_needs_all_of_its_settings_and_they_need_it() -> None:
    assert config(**OIDC).access.oidc_allowed == ("example.com", "ann@other.example")
    assert config(**OIDC).access.ways == ("openid",)
    assert SECRET not in repr(config(**OIDC)) and SECRET in config(**OIDC).secrets
    for name in OIDC:
        said = refusal(**{one: value for one, value in OIDC.items() if one != name})
        assert f"needs {name} as well" in said


def test_ways_in_that_contradict_each_other_are_refused() -> None:
    for name, value in OIDC.items():
        if name != "READBACK_OIDC_ISSUER":
            assert "READBACK_OIDC_ISSUER" in refusal(**{name: value})
    assert "READBACK_OPEN=1" in refusal(READBACK_OPEN="1", **OIDC)
    assert "READBACK_TRUSTED_PROXIES" in refusal(READBACK_PROXY_USER_HEADER="Remote-User")


@pytest.mark.parametrize("primary", [{}, {"DATABASE_URL": "sqlite:////srv/a.db"}])
def test_only_postgresql_has_replicas(primary: dict[str, str]) -> None:
    said = refusal(READBACK_READ_DATABASE_URL="postgresql+psycopg://replica/a", **primary)

    assert said.startswith("READBACK_READ_DATABASE_URL needs DATABASE_URL as well, in PostgreSQL")


AZURE = {"AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com", "AZURE_OPENAI_API_KEY": "k"}


def test_azure_needs_its_endpoint_and_its_key() -> None:
    both = config(**AZURE)
    assert both.uses_azure and not both.uses_embedded
    for name in AZURE:
        other = next(other for other in AZURE if other != name)
        assert refusal(**{name: AZURE[name]}) == f"{name} needs {other} as well"


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OPENAI_BASE_URL"])
def test_azure_and_another_server_exclude_each_other(name: str) -> None:
    said = refusal(**AZURE, **{name: "https://a.example/v1"})

    assert "AZURE_OPENAI_ENDPOINT" in said and name in said and "single server" in said


@pytest.mark.parametrize(
    ("environ", "embedded"),
    [
        ({}, True),
        ({"OPENAI_ORG_ID": "org"}, True),
        ({"OPENAI_API_KEY": "k"}, False),
        ({"OPENAI_BASE_URL": "https://a.example/v1"}, False),
    ],
)
def test_without_key_and_address_the_server_is_brought_along(
    environ: dict[str, str], embedded: bool
) -> None:
    assert config(**environ).uses_embedded is embedded


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "readback.example", "localhost."])
def test_listening_beyond_this_machine_must_be_meant(host: str) -> None:
    said = refusal(HOST=host)

    assert said.startswith(f"HOST={host} ") and "READBACK_OPEN=1" in said and "\n" not in said
    assert config(HOST=host, READBACK_OPEN="1").host == host
    assert not config(HOST=host, READBACK_OPEN="1").is_loopback


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST"]
)
def test_this_machine_needs_no_permission(host: str) -> None:
    assert config(HOST=host).is_loopback
