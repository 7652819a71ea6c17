"""The options that name an organisation and say what is stored with it."""

from typing import Annotated

import typer

from xero_stream.contracts.ids import tenant_id_of
from xero_stream.contracts.names import TenantId

Tenants = Annotated[
    list[str] | None, typer.Option("--tenant", help="Only this organisation (Xero's tenant id); may be repeated.")
]
CustomerRef = Annotated[
    str | None, typer.Option(help="Your own reference for the organisation, carried in every change.")
]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="Your own label; may be repeated.")]


def organisation_named(text: str, option: str) -> TenantId:
    """The organisation that an option names, however its id is spelled.

    Args:
        text: the option's value.
        option: its name, for the message.

    Raises:
        typer.BadParameter: no id of an organisation.
    """
    tenant_id = tenant_id_of(text)
    if tenant_id is None:
        raise typer.BadParameter(
            f"{text!r} is no tenant id of Xero's (a GUID, such as 1b3e5d0c-0f4e-4a8e-9d4a-0c8f3f1b8b52)",
            param_hint=option,
        )
    return tenant_id
