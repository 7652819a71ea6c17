"""The base of all settings classes, and the one error they raise."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, get_args

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from xero_stream.settings.words import problem_of


class SettingsError(Exception):
    """The settings are unusable; the message says which variable, where it is from and what to do."""


class OptionError(SettingsError):
    """A command line option has a value that its setting does not take."""


class InSettingError(ValueError):
    """A value that is found wrong together with others; it names its variable."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(problem)
        self.name = name


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
            overrides: values that win over the environment: by field name from command line options, by variable from
                somewhere else.

        Raises:
            SettingsError: a value is missing or malformed; the message names the variable and where it is from, never its value.
            OptionError: all that is wrong are overrides.
        """
        given = {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls(**given)
        except ValidationError as error:
            problems = error.errors()
            found = "; ".join(dict.fromkeys(cls._told(problem, given) for problem in problems))
            optional = all(cls._field(problem) in given for problem in problems)
            raise (OptionError if optional else SettingsError)(found) from error

    @classmethod
    def secrets(cls) -> set[str]:
        """The environment variables of this section that hold a secret."""
        return {
            field.alias or name
            for name, field in cls.model_fields.items()
            if field.annotation is SecretStr or SecretStr in get_args(field.annotation)
        }

    @classmethod
    def _field(cls, problem: Any) -> str:
        """The field's name that a problem of pydantic's is about."""
        error = problem.get("ctx", {}).get("error")
        name = error.name if isinstance(error, InSettingError) else str(problem["loc"][0]) if problem["loc"] else ""
        by_alias = {field.alias: field_name for field_name, field in cls.model_fields.items()}
        return by_alias.get(name) or name

    @classmethod
    def _told(cls, problem: Any, given: Mapping[str, Any]) -> str:
        name = cls._field(problem)
        field = cls.model_fields.get(name)
        alias = (field.alias if field else None) or name
        if problem["type"] == "missing":
            meaning = ((field.description if field else None) or "").replace("``", "`")
            return f"{alias} is not set: {' '.join(meaning.split())}"
        if alias in given:
            return f"{alias}: {problem_of(problem)}"
        if name in given:
            return f"--{name.replace('_', '-')}: {problem_of(problem)}"
        return f"{alias} ({cls._origin(alias)}): {problem_of(problem)}"

    @classmethod
    def _origin(cls, alias: str) -> str:
        """Where the value of a variable is from, in the order of :meth:`settings_customise_sources`."""
        # pydantic-settings takes names in any case.
        environment = {name.upper(): value for name, value in os.environ.items()}
        if environment.get(alias):
            return "from the environment"
        file = os.environ.get(f"{alias}_FILE")
        if file:
            return f"from {alias}_FILE={file}"
        return f"from {cls.model_config.get('env_file')}"
