"""Which entities are streamed."""

from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from xero_stream.contracts.names import STREAMED, EntityName
from xero_stream.settings.base import Section


class EntitySettings(Section):
    """What is streamed."""

    entities: Annotated[tuple[EntityName, ...], NoDecode] = Field(
        default=STREAMED, alias="XERO_STREAM_ENTITIES", min_length=1
    )
    """Entities that are read and published, separated by commas. Only these have topics. The same for every process."""

    @field_validator("entities", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        words = [word.strip().lower() for word in value.split(",")]
        return tuple(dict.fromkeys(filter(None, words)))

    @field_validator("entities")
    @classmethod
    def _announced(cls, value: tuple[EntityName, ...]) -> tuple[EntityName, ...]:
        silent = [name for name in value if name not in STREAMED]
        if silent:
            raise ValueError(
                f"{', '.join(silent)} can't be streamed by this release, which follows webhooks only; "
                f"choose among {', '.join(STREAMED)}"
            )
        return value
