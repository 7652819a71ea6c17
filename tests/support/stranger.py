"""What another user of the machine can do with local servers: run as root, it becomes ``nobody``, tries all, and tells what worked.

``python -m tests.support.stranger BOOTSTRAP CONTROLLER_PORT POSTGRES_PORT FOLDER``: one JSON object.
"""

import asyncio
import concurrent.futures.thread  # noqa: F401 - asyncio imports it later, when we may not read it any more
import encodings.idna  # noqa: F401 - the same
import json
import logging
import os
import pwd
import sys
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

NO_LOGIN: dict[str, Any] = {}
GUESSES: list[dict[str, Any]] = [
    NO_LOGIN,
    *(
        {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": mechanism,
            "sasl_plain_username": user,
            "sasl_plain_password": password,
        }
        for mechanism, user, password in (
            ("PLAIN", "xero_stream", "xero_stream"),
            ("PLAIN", "broker", "broker"),
            ("PLAIN", "nobody", ""),
            ("SCRAM-SHA-256", "xero_stream", ""),
        )
    ),
]


async def _lists(address: str, login: dict[str, Any]) -> bool:
    client = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=3_000, **login)
    try:
        async with asyncio.timeout(10):
            await client.start()
            await client.list_topics()
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await client.close()
    return True


async def _produces(address: str, login: dict[str, Any]) -> bool:
    producer = AIOKafkaProducer(bootstrap_servers=address, request_timeout_ms=3_000, **login)
    try:
        async with asyncio.timeout(10):
            await producer.start()
            await producer.send_and_wait("private", b"forged")
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await producer.stop()
    return True


async def _enters(port: int, user: str, password: str) -> bool:
    try:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=port, user=user, password=password, database="postgres", timeout=5
        )
    except (asyncpg.PostgresError, OSError, TimeoutError):
        return False
    await connection.close()
    return True


def _reads(folder: Path) -> list[str]:
    """Every file that can be read, and every folder below whose names can be listed."""
    found = []
    known = [
        *(
            "kafka.password",
            "postgres.password",
            "postgres.superuser.password",
            "ports.json",
            "kafka.log",
            "postgres.log",
        ),
        *("kafka", "kafka/server.properties", "kafka/data", "kafka/data/private-0/00000000000000000000.log"),
        *("postgres", "postgres/postgresql.conf", "lock", "secret", "kafka/secret"),
    ]
    for name in known:
        path = folder / name
        try:
            if path.is_dir():
                list(path.iterdir())
            else:
                path.read_bytes()
        except OSError:
            continue
        found.append(name)
    return found


async def _main(address: str, controller: str, postgres: str, folder: str) -> None:
    logging.disable(logging.CRITICAL)
    result = {
        "user": pwd.getpwuid(os.geteuid()).pw_name,
        "lists": [number for number, login in enumerate(GUESSES) if await _lists(address, login)],
        "lists_by_controller": [
            number for number, login in enumerate(GUESSES) if await _lists(f"127.0.0.1:{controller}", login)
        ],
        "produces": [number for number, login in enumerate(GUESSES) if await _produces(address, login)],
        "enters": [
            user
            for user in ("xero_stream", "postgres", "nobody")
            for password in ("", user)
            if await _enters(int(postgres), user, password)
        ],
        "reads": _reads(Path(folder)),
    }
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    if os.geteuid() == 0:  # everything is imported: what comes now is all that the other user does
        stranger = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(stranger.pw_gid)
        os.setuid(stranger.pw_uid)
    asyncio.run(_main(*sys.argv[1:]))
