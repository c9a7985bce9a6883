"""The folders of media, one for each server, account and database, and the settings of readers."""

from __future__ import annotations

from pathlib import Path

import pytest

from webapp.config import Config
from webapp.factories import (
    find_media_folder,
    find_store_media_folder,
    without_servers,
    without_upstream,
)

URL = "https://models.example/v1"
AZURE = {"AZURE_OPENAI_ENDPOINT": "https://a.openai.azure.com"}
SERVERS: list[dict[str, str]] = [
    {"OPENAI_API_KEY": "sk-one"},
    {"OPENAI_API_KEY": "sk-two"},
    {"OPENAI_API_KEY": "sk-one", "OPENAI_ORG_ID": "org-a"},
    {"OPENAI_API_KEY": "sk-one", "OPENAI_PROJECT_ID": "proj-a"},
    {"OPENAI_BASE_URL": URL},
    {"OPENAI_BASE_URL": f"{URL}?tenant=a"},
    {"OPENAI_BASE_URL": URL, "READBACK_HEADERS": "X-Tenant: a"},
    {"OPENAI_BASE_URL": URL, "OPENAI_API_KEY": "sk-one"},
    AZURE | {"AZURE_OPENAI_API_KEY": "one"},
    AZURE | {"AZURE_OPENAI_API_KEY": "two"},
    {},
    {"DATABASE_URL": "sqlite:////srv/a.db"},
    {"DATABASE_URL": "sqlite:////srv/b.db"},
    {"DATABASE_URL": "sqlite:////a@b.db"},
    {"DATABASE_URL": "sqlite:////c@b.db"},
    {"DATABASE_URL": "postgresql+psycopg://u:p@db.example/a"},
    {"DATABASE_URL": "postgresql+psycopg://u:p@db.example/b"},
    {"DATABASE_URL": "postgresql+psycopg://u:p@other.example/a"},
]


def media_folder(settings: dict[str, str]) -> Path:
    return find_media_folder(Config.from_environ(settings))


def test_two_servers_share_no_folder() -> None:
    folders = [media_folder(settings) for settings in SERVERS]

    assert len(set(folders)) == len(folders)
    assert folders == [media_folder(settings) for settings in SERVERS]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sqlite:////srv/a.db", "sqlite+pysqlite:////srv/a.db"),
        ("sqlite:////srv/a.db", "sqlite:////srv/x/../a.db"),
        ("sqlite:////srv/a.db", "sqlite:////srv/a.db?timeout=5"),
        ("postgresql+psycopg://u:p@db.example/a", "postgresql+psycopg://u:q@db.example/a"),
        ("postgresql+psycopg://db.example/a", "postgresql+psycopg://u:p%40@db.example/a"),
    ],
)
def test_a_database_has_the_same_folder_under_each_address(one: str, other: str) -> None:
    assert media_folder({"DATABASE_URL": one}) == media_folder({"DATABASE_URL": other})


def test_a_relative_file_is_another_one_in_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    relative = {"DATABASE_URL": "sqlite:///store.db"}
    monkeypatch.chdir(tmp_path / "a")
    folder = media_folder(relative)

    assert folder == media_folder({"DATABASE_URL": f"sqlite:///{tmp_path}/a/store.db"})
    monkeypatch.chdir(tmp_path)
    assert folder != media_folder(relative)


@pytest.mark.parametrize("more", [{}, {"READBACK_API_KEY": "k"}, {"OPENAI_API_KEY": "sk-one"}])
def test_a_command_finds_the_folder_of_the_store_with_any_key(more: dict[str, str]) -> None:
    settings = {"DATABASE_URL": "sqlite:////srv/a.db"}
    found = find_store_media_folder(Config.from_environ(settings | more))

    assert found == media_folder(settings)


def test_a_snapshot_is_read_with_no_server_and_no_key() -> None:
    settings = {
        "OPENAI_API_KEY": "sk-one-secret",
        "READBACK_MODEL_URL": "https://models.example/v1?key=two-secret",
        "READBACK_MODEL_API_KEY": "three-secret",
        "READBACK_MODEL_HEADERS": "X-Key: four-secret",
    }
    config = Config.from_environ(settings)

    assert without_upstream(config).model_url == config.model_url
    assert set(without_upstream(config).secrets) == {"two-secret", "four-secret", "three-secret"}
    assert without_servers(config).secrets == ()
