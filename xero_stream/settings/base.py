"""The base of all settings classes, and the one error they raise."""

import os
from pathlib import Path
from typing import Any, Self, get_args

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


class SettingsError(Exception):
    """The settings are unusable; the message says which variable and what to do."""


class SecretFiles(PydanticBaseSettingsSource):
    """Reads any field from the file that ``<NAME>_FILE`` names (Docker and Kubernetes secrets)."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        """The content of the named file, stripped of the final newline."""
        alias = field.alias or field_name
        path = os.environ.get(f"{alias}_FILE")
        if not path:
            return None, alias, False
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n"), alias, False
        except OSError as error:
            raise SettingsError(f"{alias}_FILE={path} can't be read: {error.strerror}") from error

    def __call__(self) -> dict[str, Any]:
        """All values found in files, by alias."""
        values: dict[str, Any] = {}
        for name, field in self.settings_cls.model_fields.items():
            value, alias, _ = self.get_field_value(field, name)
            if value:  # an empty file counts as not set, as an empty variable does
                values[alias] = value
        return values


class Section(BaseSettings):
    """One group of settings. Frozen; read with :meth:`read`."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
        env_ignore_empty=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then ``NAME_FILE``, then ``.env``."""
        del file_secret_settings
        return init_settings, env_settings, SecretFiles(settings_cls), dotenv_settings

    @classmethod
    def read(cls, **overrides: Any) -> Self:
        """Read the section.

        Args:
            overrides: values by field name that win over the environment (from command line options).

        Raises:
            SettingsError: a value is missing or malformed; the message names the variable, never its value.
        """
        try:
            return cls(**{name: value for name, value in overrides.items() if value is not None})
        except ValidationError as error:
            raise SettingsError("; ".join(cls._told(problem) for problem in error.errors())) from error

    @classmethod
    def secrets(cls) -> set[str]:
        """The environment variables of this section that hold a secret."""
        return {
            field.alias or name
            for name, field in cls.model_fields.items()
            if field.annotation is SecretStr or SecretStr in get_args(field.annotation)
        }

    @classmethod
    def _told(cls, problem: Any) -> str:
        by_name = {name: field.alias or name for name, field in cls.model_fields.items()}
        name = ".".join(by_name.get(str(part), str(part)) for part in problem["loc"])
        if problem["type"] != "missing":
            return f"{name}: {problem['msg'].removeprefix('Value error, ')}"
        meanings = {field.alias: field.description for field in cls.model_fields.values()}
        meaning = (meanings.get(name) or "").replace("``", "`")
        return f"{name} is not set: {' '.join(meaning.split())}"
