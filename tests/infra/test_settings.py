"""What the environment may and may not say."""

from pathlib import Path

import pytest

from infra.settings import Settings, SettingsError

URL = "postgresql://hoso:secret@db/hoso"


def test_nothing_set_means_the_embedded_database_in_the_users_data_folder() -> None:
    settings = Settings.read({})
    assert settings.database_url is None
    assert settings.data.name == "hoso"
    assert settings.master_key_file == settings.data / "master.key"


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    empty = {"HOSO_DATA": "", "HOSO_DATABASE_URL": "", "HOSO_MASTER_KEY_FILE": ""}
    assert Settings.read(empty) == Settings.read({})


def test_the_data_folder_becomes_absolute() -> None:
    assert Settings.read({"HOSO_DATA": "here"}).data == Path.cwd() / "here"


def test_the_embedded_database_may_have_its_key_elsewhere() -> None:
    settings = Settings.read({"HOSO_DATA": "/data", "HOSO_MASTER_KEY_FILE": "/keys/hoso"})
    assert settings.master_key_file == Path("/keys/hoso")


def test_a_production_database_names_its_master_key() -> None:
    settings = Settings.read({"HOSO_DATABASE_URL": URL, "HOSO_MASTER_KEY_FILE": "/keys/hoso"})
    assert settings.database_url == URL
    assert settings.master_key_file == Path("/keys/hoso")


def test_a_production_database_without_a_master_key_can_be_migrated_and_audited_only() -> None:
    settings = Settings.read({"HOSO_DATA": "/data", "HOSO_DATABASE_URL": URL})
    assert settings.master_key_file is None
    with pytest.raises(SettingsError, match="HOSO_MASTER_KEY_FILE"):
        settings.needed_master_key_file()


def test_an_address_of_something_else_is_refused_without_repeating_it() -> None:
    with pytest.raises(SettingsError, match=r"postgresql://$"):
        Settings.read({"HOSO_DATABASE_URL": "mysql://hoso:secret@db/hoso"})


def test_settings_do_not_print_the_password() -> None:
    settings = Settings.read({"HOSO_DATABASE_URL": URL, "HOSO_MASTER_KEY_FILE": "/keys/hoso"})
    assert "secret" not in repr(settings)
