"""Looking at Kafka and at Xero from where we stand."""

import httpx
from aiokafka.errors import KafkaError

from cli.doctor.findings import Finding, fine, problem, skipped
from xero_stream.kafka.admin import KafkaUnreachableError, TopicAdmin, wanted
from xero_stream.settings.base import SettingsError
from xero_stream.settings.entities import EntitySettings
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.receiver import ReceiverSettings
from xero_stream.settings.xero import XeroSettings

_SHOWN = 3


async def look_at_kafka() -> list[Finding]:
    """Check that Kafka answers, that the topics are correct, and that processors read them."""
    try:
        settings, deliveries = KafkaSettings.read(), ReceiverSettings.read().keep_deliveries
        specs = wanted(settings, EntitySettings.read().entities, deliveries=deliveries)
        async with TopicAdmin(settings) as admin:
            differing = await admin.check(specs)
            group = await _group(admin, settings.topics.processors_group)
    except SettingsError as error:
        return [skipped("kafka", f"its settings can't be used: {error}")]
    except KafkaUnreachableError as error:
        return [problem("kafka", str(error)), skipped("topics", "needs Kafka")]
    answers = fine("kafka", f"answers at {settings.bootstrap_servers}")
    if not differing:
        return [
            answers,
            fine("topics", f"{len(specs)} with the prefix {settings.topic_prefix} are correct"),
            group,
        ]
    told = "; ".join(f"{one.topic} {one.what}" for one in differing[:_SHOWN])
    more = f"; and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
    fixable = any(one.fixable for one in differing)
    todo = "xero-stream topics apply" if fixable else "xero-stream topics check shows all"
    return [answers, problem("topics", told + more, todo), group]


async def _group(admin: TopicAdmin, name: str) -> Finding:
    """Whether processors run. A lease in the store tells who had a partition last: a killed process can't take it back."""
    try:
        members = await admin.members(name)
    except KafkaError as error:
        return skipped("group", f"Kafka does not return the members of {name} ({type(error).__name__})")
    if not members:
        return problem("group", f"no processors run: the group {name} has no members", "xero-stream processors (or up)")
    return fine("group", f"{members} {'process is' if members == 1 else 'processes are'} in {name}")


async def look_at_xero(transport: httpx.AsyncBaseTransport | None = None) -> list[Finding]:
    """Xero's two addresses answer. No token is sent: a refusal is an answer.

    Args:
        transport: in place of the network.
    """
    try:
        settings = XeroSettings.read()
    except SettingsError as error:
        return [skipped("xero", f"its settings can't be used: {error}")]
    findings = []
    async with httpx.AsyncClient(transport=transport, timeout=8, trust_env=False, follow_redirects=False) as http:
        for name, base, path in (
            ("XERO_API_URL", settings.api_url, "/connections"),
            ("XERO_IDENTITY_URL", settings.identity_url, "/connect/token"),
        ):
            findings.append(await _ask(http, name, base, path))
    return findings


async def _ask(http: httpx.AsyncClient, name: str, base: str, path: str) -> Finding:
    try:
        async with http.stream("GET", base.rstrip("/") + path, headers={"Accept": "application/json"}) as answer:
            pass  # its head says enough; a body could be of any length
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        todo = f"check the network, a proxy on the way, and {name}"
        return problem("xero", f"{base} does not answer ({type(error).__name__})", todo)
    if answer.is_redirect:
        return problem("xero", f"{base} answers with a redirect", f"{name} is the base address only")
    if answer.status_code >= 500:
        return problem("xero", f"{base} answers {answer.status_code}", "see https://status.xero.com")
    return fine("xero", f"{base} answers")
