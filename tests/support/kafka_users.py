"""A broker whose authorizer is on: its configuration, and adding what ``xero-stream topics acl`` prints."""

import argparse
import shlex
from collections.abc import Mapping

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

from xero_stream.local.ports import HOST, Ports

_TYPES = {"topic": 2, "group": 3, "transactional_id": 5}
_PATTERNS = {"literal": 3, "prefixed": 4}
_OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10, "AlterConfigs": 11}
_ALLOW = 3


def with_users(places: Ports, port: int, passwords: Mapping[str, str]) -> dict[str, str]:
    """Settings of a broker that has a further listener where everybody is somebody, and refuses what no ACL allows.

    Args:
        places: where it listens besides; who comes that way is an administrator.
        port: of the further listener.
        passwords: by user.
    """
    users = " ".join(f'user_{name}="{password}"' for name, password in passwords.items())
    inside, outside = f"INSIDE://{HOST}:{places.kafka}", f"USERS://{HOST}:{port}"
    return {
        "listeners": f"{inside},CONTROLLER://{HOST}:{places.kafka_controller},{outside}",
        "advertised.listeners": f"{inside},{outside}",
        "inter.broker.listener.name": "INSIDE",
        "listener.security.protocol.map": "INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT,USERS:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.users.plain.sasl.jaas.config": (
            f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};"
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }


def _parser() -> argparse.ArgumentParser:
    """The options of Kafka's ``kafka-acls.sh`` that we print."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--add", action="store_true", required=True)
    for name in ("--bootstrap-server", "--allow-principal"):
        parser.add_argument(name, required=True)
    parser.add_argument("--command-config")
    parser.add_argument("--operation", action="append", required=True, choices=list(_OPERATIONS))
    parser.add_argument("--resource-pattern-type", default="literal", choices=list(_PATTERNS))
    resource = parser.add_mutually_exclusive_group(required=True)
    for name in _TYPES:
        resource.add_argument(f"--{name.replace('_', '-')}")
    return parser


async def apply(admin: AIOKafkaAdminClient, commands: str) -> int:
    """Do what the commands do.

    Args:
        admin: of an administrator.
        commands: one per line.

    Returns:
        How many ACLs were made.
    """
    made = 0
    for line in commands.splitlines():
        program, *words = shlex.split(line)
        assert program == "kafka-acls.sh", line
        options = _parser().parse_args(words)
        ((kind, name),) = [(kind, getattr(options, kind)) for kind in _TYPES if getattr(options, kind)]
        for operation in options.operation:
            request = CreateAclsRequest(
                resource_type=_TYPES[kind],
                resource_name=name,
                resource_pattern_type_filter=_PATTERNS[options.resource_pattern_type],
                principal=options.allow_principal,
                host="*",
                operation=_OPERATIONS[operation],
                permission_type=_ALLOW,
            )
            answer = await admin._send_request(request)
            assert [code for code, *_ in answer.creation_responses] == [0], (line, answer)
            made += 1
    return made
