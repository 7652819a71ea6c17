"""Which settings must be the same in all processes of a deployment, and how two processes' values compare. Pure.

The table :data:`RULES` has one line per setting; a test proves it total. ``docs/configuration.md`` shows it. The values that
must be equal are kept in the store's ``deployment`` row; :mod:`xero_stream.store.deployment` compares.
"""

import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from pydantic import SecretStr

from xero_stream.contracts.names import DEFAULT_APP
from xero_stream.settings.apps import App
from xero_stream.settings.base import Section

PREFIX, PARTITIONS = "KAFKA_TOPIC_PREFIX", "KAFKA_PARTITIONS"
ENTITIES, ONE_TOPIC = "XERO_STREAM_ENTITIES", "XERO_STREAM_ONE_CHANGES_TOPIC"
KEYS = "XERO_STREAM_ENCRYPTION_KEYS"
POLICY, POLICY_KEY = "XERO_STREAM_FIELD_POLICY", "XERO_STREAM_FIELD_POLICY_KEY"
CLUSTER = "KAFKA_BOOTSTRAP_SERVERS"
CLIENT_ID, TIER, APPS_FILE = "XERO_CLIENT_ID", "XERO_APP_TIER", "XERO_STREAM_APPS_FILE"
API_URL, IDENTITY_URL = "XERO_API_URL", "XERO_IDENTITY_URL"
PLAIN_HTTP_HOSTS = "XERO_STREAM_PLAIN_HTTP_HOSTS"
KEEP_RAW, KEEP_DELIVERIES = "XERO_STREAM_KEEP_RAW", "XERO_STREAM_KEEP_DELIVERIES"
AMOUNTS = "XERO_STREAM_AMOUNTS"
REPLICAS, COMPRESSION = "KAFKA_REPLICATION_FACTOR", "KAFKA_COMPRESSION"
LETTER_DAYS = "KAFKA_DEAD_LETTER_DAYS"

_OF_THE_FILE = "apps."
"""``apps.NAME.client_id`` and ``apps.NAME.tier`` name what the apps file says of an app."""


class Sharing(StrEnum):
    """What two processes of a deployment may have."""

    FIXED = "fixed"  # the same in all, for the deployment's whole life
    SAME = "same"  # the same in all; changed for all by a command
    FREE = "free"  # each its own


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for a setting.

    Attributes:
        sharing: whether processes may differ.
        why: the reason, one sentence.
        then: what follows when the deployment's value is changed; only with SAME.
        on_kafka: whether the value is also kept where processes without a store find it.
    """

    sharing: Sharing
    why: str
    then: str = ""
    on_kafka: bool = False


def fixed(why: str) -> Rule:
    """The same in all processes, permanently."""
    return Rule(Sharing.FIXED, why)


def same(why: str, *, then: str, on_kafka: bool = False) -> Rule:
    """The same in all processes; ``xero-stream deployment set`` changes it."""
    return Rule(Sharing.SAME, why, then, on_kafka)


def free(why: str) -> Rule:
    """Processes may differ."""
    return Rule(Sharing.FREE, why)


_LISTENS = "Each process has its own address."
_LIMIT = "A limit of the process itself; beyond it requests are refused, and Xero retries them."
_REACHES = "Connection settings of this machine."
_SIMULATOR = "Only the simulator reads it, and there is one."
_READ_AGAIN = (
    "From its next read on, each record is published once more where the result differs; `--read-again` reads all records "
    "now. Consumers see an update (op u) of each such record"
)

RULES: Mapping[str, Rule] = {
    # What every deployment sets.
    CLIENT_ID: same(
        "Another client's refresh of a token is refused as invalid_grant, which ends the grant.",
        then="Grants belong to the client they were given to: connect the organisations again with `grants add`",
    ),
    "XERO_CLIENT_SECRET": free(
        "Xero accepts an old and a new secret side by side; a wrong one is refused and ends no grant."
    ),
    TIER: same(
        "The processes share each organisation's calls of a day; the tier says how many there are.",
        then="Budgets follow at the next start. Consumers see nothing",
    ),
    "XERO_WEBHOOK_KEYS": free(
        "Receivers differ while a key is changed; a request signed with an unknown key is repeated by Xero."
    ),
    APPS_FILE: free(
        "The path is the machine's own. Client id and tier of each app in the file are compared like those of the app "
        "called default; an app that the deployment does not know yet is added."
    ),
    KEYS: same(
        "A process with another key can't read the stored tokens, or writes tokens that the others can't read.",
        then="Every stored token is encrypted again with the first key; the keys behind it can be dropped then. Processors that "
        "have all of these keys go on. Consumers see nothing",
    ),
    ENTITIES: same(
        "Events of an entity that a process does not read are not kept for the others.",
        then="A new entity is read from its beginning for every connected organisation (op r), which covers events that were "
        "ignored while it was off. An entity that is left out is not read any more: its waiting records and loads are "
        "dropped, its topics stay as they are and get no more changes",
        on_kafka=True,
    ),
    # Kafka.
    CLUSTER: same(
        "The address may differ, the cluster behind it may not (its cluster id is compared): changes published on another "
        "cluster never reach the consumers.",
        then="What was published on the former cluster is not copied. Topics that are empty on the new one are filled again with "
        "every record (op r)",
    ),
    "KAFKA_SECURITY_PROTOCOL": free(_REACHES),
    "KAFKA_SASL_MECHANISM": free(_REACHES),
    "KAFKA_SASL_USERNAME": free(_REACHES),
    "KAFKA_SASL_PASSWORD": free(_REACHES),
    "KAFKA_SSL_CAFILE": free(_REACHES),
    "KAFKA_SSL_CERTFILE": free(_REACHES),
    "KAFKA_SSL_KEYFILE": free(_REACHES),
    PREFIX: fixed("It names the topics, groups and transactional ids."),
    PARTITIONS: fixed("It decides which partition an organisation is in."),
    REPLICAS: same(
        "Topics created with another value would have fewer replicas than the rest.",
        then="Topics made from now on have it; those that exist keep theirs (kafka-reassign-partitions changes it). Consumers "
        "see nothing",
        on_kafka=True,
    ),
    LETTER_DAYS: same(
        "The topic has one retention.",
        then="The topic keeps dead letters so long from now on. Consumers of changes see nothing",
    ),
    COMPRESSION: same(
        "Topics are kept in one codec, which every consumer must have; a process with another one would ask for other topics.",
        then="The topics take it for what is published from now on; what is on them stays as it is. Consumers must have both "
        "codecs",
        on_kafka=True,
    ),
    ONE_TOPIC: same(
        "Some changes would be published on topics that their consumers do not read.",
        then="Changes recorded from now on are published on the other topics; those recorded before still go to the former ones. "
        "`position` goes on without a gap over all topics, `previous` begins at 0 on a new topic. Consumers read the former "
        "topics to their end, then the other ones",
        on_kafka=True,
    ),
    # PostgreSQL.
    "DATABASE_URL": free(
        "The address may differ; a process that reaches another store is refused by the store id beside Kafka's offsets."
    ),
    "XERO_STREAM_DATABASE_POOL_SIZE": free("Connections of this process."),
    # Receiver.
    "XERO_STREAM_RECEIVER_HOST": free(_LISTENS),
    "XERO_STREAM_RECEIVER_PORT": free(_LISTENS),
    "XERO_STREAM_RECEIVER_PRIVATE_HOST": free(_LISTENS),
    "XERO_STREAM_RECEIVER_PRIVATE_PORT": free(_LISTENS),
    "XERO_STREAM_RECEIVER_WORKERS": free("Processes of this receiver; each appends by itself."),
    "XERO_STREAM_RECEIVER_CONNECTIONS": free(_LIMIT),
    "XERO_STREAM_RECEIVER_BODY_BYTES": free(_LIMIT),
    "XERO_STREAM_RECEIVER_IN_FLIGHT_BYTES": free(_LIMIT),
    KEEP_DELIVERIES: same(
        "With receivers that differ some deliveries are kept and others are not. Only receivers compare it.",
        then="The topic of deliveries is made; receivers take the value at their next start",
        on_kafka=True,
    ),
    # Console.
    "XERO_STREAM_CONSOLE_HOST": free(_LISTENS),
    "XERO_STREAM_CONSOLE_PORT": free(_LISTENS),
    "XERO_STREAM_CONSOLE_PRIVATE_HOST": free(_LISTENS),
    "XERO_STREAM_CONSOLE_PRIVATE_PORT": free(_LISTENS),
    "XERO_STREAM_CONSOLE_HOST_NAMES": free(_LISTENS),
    "XERO_STREAM_CONSOLE_CONNECTIONS": free("A limit of the process itself."),
    # Processors.
    "XERO_STREAM_PROCESSORS_PRIVATE_HOST": free(_LISTENS),
    "XERO_STREAM_PROCESSORS_PRIVATE_PORT": free(_LISTENS),
    "XERO_STREAM_PRIVATE_HOST_NAMES": free(_LISTENS),
    "XERO_STREAM_GROUP_INSTANCE_ID": free("It must differ: each replica has a name of its own."),
    "XERO_STREAM_SESSION_TIMEOUT_SECONDS": free("Kafka keeps it for each member by itself."),
    KEEP_RAW: same(
        "A record would gain and lose its `raw` each time its partition changes hands, a change each time.",
        then=_READ_AGAIN,
    ),
    AMOUNTS: same("One record's amounts would be numbers and text in turn, a change each time.", then=_READ_AGAIN),
    POLICY: same(
        "What one process must not publish, another would; each change of owner would publish the records again.",
        then=_READ_AGAIN + ". What was published before stays on the topics as long as they keep it",
    ),
    POLICY_KEY: same("Equal texts would have different hashes.", then=_READ_AGAIN),
    "XERO_STREAM_PATIENCE_SECONDS": free("How long this process waits for Xero to show an announced change."),
    "XERO_STREAM_GAP_PATIENCE_SECONDS": free(
        "The process that looks next uses its own; the shortest one reads again first."
    ),
    "XERO_STREAM_DRAIN_SECONDS": free("How long this process takes to stop."),
    "XERO_STREAM_UNCONNECTED_EVENTS_DAYS": free(
        "The shortest one counts; the organisation's first load reads what was dropped."
    ),
    "XERO_STREAM_QUARANTINE_DAYS": free(
        "The shortest of them counts: every process ends the retention in the one store."
    ),
    "XERO_STREAM_QUARANTINE_MEGABYTES": free("The smallest of them counts: every process bounds the one store."),
    "XERO_STREAM_UNCONNECTED_RECORDS": free(
        "Each owner of a partition keeps its own; the first load reads what was not kept."
    ),
    "XERO_STREAM_CHANGE_DAYS": same(
        "The process with the smallest value drops what the others keep.",
        then="Days beyond it are dropped from the store within an hour; what is on Kafka stays",
    ),
    # Logs, local servers.
    "XERO_STREAM_LOG_FORMAT": free("Each process writes its own log."),
    "XERO_STREAM_LOG_LEVEL": free("Each process writes its own log."),
    "XERO_STREAM_DATA_DIR": free("Only commands that run local servers read it."),
    "XERO_STREAM_CACHE_DIR": free("Only commands that run local servers read it."),
    # Xero.
    API_URL: same(
        "Records of two Xeros would be mixed, and tokens sent to the wrong one.",
        then="Nothing is read again: the other address must show the same organisations. Consumers see nothing",
    ),
    IDENTITY_URL: same(
        "A refresh token sent to another identity server is refused, which ends the grant.",
        then="Grants of the former server can't be renewed by another one. Consumers see nothing",
    ),
    PLAIN_HTTP_HOSTS: free("A process without it refuses the address that another one takes."),
    "XERO_LOGIN_URL": free("It is only part of links that users open."),
    "XERO_STREAM_HTTP_TIMEOUT_SECONDS": same(
        "The next owner of an organisation counts the calls of the previous process as in progress for this time.",
        then="Processes use it from their next start. Consumers see nothing",
    ),
    # The simulator.
    "XERO_STREAM_SIMULATOR_HOST": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_PORT": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_HOST_NAMES": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_SEED": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_TENANTS": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_CONTACTS": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_INVOICES": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_CREDIT_NOTES": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_EDITS_PER_SECOND": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_EVERYTHING": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_API_LATENCY_MS": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_WEBHOOK_URL": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_WEBHOOK_HOSTS": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_WEBHOOK_KEY": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_WEBHOOK_CATEGORIES": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_WEBHOOK_BATCH_MS": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_WEBHOOK_BATCH_EVENTS": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_WEBHOOK_CONCURRENCY": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_WEBHOOK_RETRY_SECONDS": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_WEBHOOK_EVENT_LAG_MS": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_DATA_DIR": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_CLIENT_ID": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_CLIENT_SECRET": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_TIER": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_CLOCK_START": free(_SIMULATOR),
    "XERO_STREAM_SIMULATOR_CLOCK_RATE": free(_SIMULATOR),
}
"""Every setting. A new one gets its line here: ``free(why)``, or ``same(why, then=…)``, and is compared from then on."""

SECRETS = frozenset({KEYS, POLICY_KEY})
"""Of these only check values are kept and shown."""

ONLY_RECEIVERS = frozenset({KEEP_DELIVERIES})
"""Processors never compare these."""

Shared = Mapping[str, str]
"""Values that must be the same, as text, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One setting that differs.

    Attributes:
        name: of the setting.
        here: this process's value; None: it has none.
        deployed: the deployment's.
    """

    name: str
    here: str | None
    deployed: str

    def __str__(self) -> str:
        """Both values and what to do."""
        here, deployed = shown(self.name, self.here), shown(self.name, self.deployed)
        setting = setting_of(self.name)
        if RULES[setting].sharing is Sharing.FIXED:
            return (
                f"this deployment has {self.name}={deployed}, here it is {here}. It can't be changed: set it to {deployed}, or "
                "start over with a new KAFKA_TOPIC_PREFIX and an empty store"
            )
        return (
            f"this deployment has {self.name}={deployed}, here it is {here}. Set it to the deployment's value, or change it for "
            f"all processes: `xero-stream deployment set {setting}`, with the new value in the environment"
        )


def check_value(secret: str) -> str:
    """What a secret is known by: 16 hex digits that do not lead back to it.

    Args:
        secret: a Fernet key or another secret of at least 32 random characters: shorter ones could be guessed.
    """
    return hmac.digest(secret.encode(), b"xero-stream check value", hashlib.sha256).hex()[:16]


def values(*sections: Section, only: Collection[str] | None = None) -> dict[str, str]:
    """The values of sections that must be the same everywhere.

    Args:
        sections: as read.
        only: these settings; None for all.
    """
    found: dict[str, str] = {}
    for section in sections:
        for field_name, field in type(section).model_fields.items():
            name = field.alias or field_name
            if RULES[name].sharing is Sharing.FREE or name in _BY_OTHERS or (only is not None and name not in only):
                continue
            found[name] = _text(name, getattr(section, field_name))
    return found


_BY_OTHERS = frozenset({CLUSTER, CLIENT_ID, TIER})
"""Not the setting's own text is compared: the cluster's id; the apps as they were put together."""


def values_of_apps(apps: Iterable[App]) -> dict[str, str]:
    """What must be the same of the apps."""
    found: dict[str, str] = {}
    for app in apps:
        names = (CLIENT_ID, TIER) if app.name == DEFAULT_APP else _names_of(app.name)
        # Whether there is a secret belongs to the app: one of the PKCE type has none in any process.
        client_id = f"{app.client_id or ''}{'' if app.client_secret or not app.client_id else ' without a secret'}"
        found |= dict(zip(names, (client_id, app.tier.value), strict=True))
    return found


def _names_of(app: str) -> tuple[str, str]:
    return f"{_OF_THE_FILE}{app}.client_id", f"{_OF_THE_FILE}{app}.tier"


def setting_of(name: str) -> str:
    """The setting that a value belongs to: its own name, or the apps file's."""
    return APPS_FILE if name.startswith(_OF_THE_FILE) else name


def _text(name: str, value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value == "":
        return ""
    if name == KEYS:
        # Fernet takes both alphabets of base64.
        keys = (key.strip().replace("+", "-").replace("/", "_") for key in value.split(","))
        return ",".join(check_value(key) for key in keys if key)
    if name in SECRETS:
        return check_value(value)
    if name == POLICY:
        return _canonical_json(value)
    if name in (API_URL, IDENTITY_URL):
        return str(value).rstrip("/")
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return ",".join(sorted(map(str, value)))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _canonical_json(text: str) -> str:
    try:
        document = json.loads(text)
        return json.dumps(document, sort_keys=True, separators=(",", ":")) if document else ""
    except ValueError:
        return text  # whoever uses it refuses it


def differences(here: Shared, deployed: Shared, *, complete: bool = False) -> list[Difference]:
    """How a process's values differ from the deployment's.

    Args:
        here: the process's.
        deployed: what the deployment's row has. A setting that only one side knows is no difference: the other is older.
        complete: whether ``here`` has all apps: then one that only the deployment has is missing here.
    """
    found = [
        Difference(name=name, here=value, deployed=deployed[name])
        for name, value in here.items()
        if name in deployed and not _fits(name, value, deployed[name])
    ]
    if complete:
        found += [
            Difference(name=name, here=None, deployed=value)
            for name, value in deployed.items()
            if name.startswith(_OF_THE_FILE) and name not in here
        ]
    return found


def _fits(name: str, here: str, deployed: str) -> bool:
    if name != KEYS:
        return here == deployed
    return keys_fit(here.split(","), deployed.split(","))


def keys_fit(here: Sequence[str], deployed: Sequence[str]) -> bool:
    """Whether a process can read what the others write, and they what it writes.

    It may have more keys than the deployment: so a new one can be given to all processes, behind the others, before the
    deployment begins to use it.

    Args:
        here: check values of the process's keys, newest first.
        deployed: the deployment's.
    """
    return here[0] in deployed and set(deployed) <= set(here)


def shown(name: str, value: str | None) -> str:
    """A value as messages show it."""
    if value is None:
        return "missing"
    if not value:
        return "not set"
    if name in SECRETS:
        return f"the key {value}" if "," not in value else f"the keys {value}"
    return f"the cluster {value}" if name == CLUSTER else value
