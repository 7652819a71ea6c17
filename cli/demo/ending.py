"""The last screen of a run that ends by itself."""

from cli.demo.figures import duration
from cli.demo.screen import ratio
from cli.demo.tally import Picture
from cli.demo.verdict import Verdict
from xero_stream.local.credentials import USER

CONSUMER = """\
import asyncio, aiokafka
async def main():
    async with aiokafka.AIOKafkaConsumer(
        "{topic}", bootstrap_servers="{servers}",
        isolation_level="read_committed", auto_offset_reset="earliest",
        security_protocol="SASL_PLAINTEXT", sasl_plain_username="{user}",
        sasl_plain_password=open({file!r}).read().strip(),
    ) as changes:
        async for change in changes:
            print(change.offset, change.value[:120])
asyncio.run(main())"""
"""A consumer to paste, eleven lines."""

REAL = (
    "1. developer.xero.com: a web app; redirect URI http://localhost:8085/callback",
    "2. Export XERO_CLIENT_ID, XERO_CLIENT_SECRET, XERO_WEBHOOK_KEYS and",
    "   XERO_STREAM_ENCRYPTION_KEYS; xero-stream up --local, https to port 8080.",
    "3. xero-stream connect: the Demo Company is loaded, then followed.",
)
"""How to connect a real demo company."""


def final_screen(
    verdict: Verdict, picture: Picture, *, bootstrap_servers: str, topic: str, password_file: str, data_dir: str
) -> list[str]:
    """What is printed at the end: the honest line first.

    Args:
        verdict: what the verification came to.
        picture: the last one.
        bootstrap_servers: where Kafka was.
        topic: a topic of changes.
        password_file: where Kafka's password is.
        data_dir: where the logs are.
    """
    head = [verdict.line(), f"{ratio(picture.events, picture.calls)} · {latency(picture)}"]
    if not verdict.agrees:
        return [*head, "", *(f"✗ {line}" for line in verdict.troubles()), "", f"Logs and data: {data_dir}"]
    return [
        *head,
        "",
        "Read the changes yourself (while a demo runs):",
        "",
        *CONSUMER.format(topic=topic, servers=bootstrap_servers, user=USER, file=password_file).splitlines(),
        "",
        "Connect a real demo company:",
        "",
        *REAL,
    ]


def latency(picture: Picture) -> str:
    """``webhook → change p50 84 ms, p99 312 ms``."""
    return f"webhook → change p50 {duration(picture.p50)}, p99 {duration(picture.p99)}"
