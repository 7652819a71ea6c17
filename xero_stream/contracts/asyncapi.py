"""``asyncapi.yaml``: topics, keys, headers and values as AsyncAPI 3.1 with Kafka bindings. Pure."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from xero_stream.contracts.names import EntityName
from xero_stream.contracts.topics import Topics

_DAY_MS = 24 * 60 * 60 * 1000
_LARGEST_MESSAGE = 8 * 1024 * 1024
_JSON = "application/json"


def asyncapi(
    entities: Collection[EntityName],
    schemas: Mapping[str, str],
    headers: Mapping[str, Any],
    examples: Mapping[str, Any],
    version: str,
) -> dict[str, Any]:
    """The document.

    Args:
        entities: those that have topics.
        schemas: file of each value's schema, relative to the document, by message name.
        headers: JSON Schema of each message's headers, by message name.
        examples: headers and payload of a published message, by message name.
        version: of the contracts.
    """
    topics = Topics()
    channels = {
        "webhookEvents": _channel(
            topics.webhook_events,
            "Webhook events",
            "WebhookEvent",
            "One record per verified webhook event, as sent by Xero. Partition: murmur2 of the tenant id.",
            days=7,
        ),
        "deadLetters": _channel(
            topics.dead_letters,
            "Dead letters",
            "DeadLetter",
            "What could not be parsed or applied, as bytes, with where and why.",
            days=30,
        ),
    }
    for entity in entities:
        channels[_camel("changes", entity)] = _channel(
            topics.changes(entity),
            f"Changes of {_words(entity)}",
            _title(entity, "Change"),
            f"Every change of {_words(entity)}, once and in order per partition. Read with isolation.level=read_committed.",
            days=30,
        )
        channels[_camel("records", entity)] = _channel(
            topics.records(entity),
            f"Latest {_words(entity)}",
            _title(entity, "Latest"),
            f"The latest state of {_words(entity)}; a null value says the record is gone.",
            days=None,
        )
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "xero-stream",
            "version": version,
            "description": "Topic names start with the prefix of the deployment, by default `xero`.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": _JSON,
        "servers": {
            "kafka": {
                "host": "{bootstrapServers}",
                "protocol": "kafka",
                "title": "Kafka",
                "description": "The brokers that KAFKA_BOOTSTRAP_SERVERS names; TLS and SASL as KAFKA_SECURITY_PROTOCOL says.",
                "variables": {
                    "bootstrapServers": {"default": "127.0.0.1:9092", "description": "A `host:port` of one broker."}
                },
            }
        },
        "channels": channels,
        "operations": {
            f"send{name[0].upper()}{name[1:]}": {
                "action": "send",
                "title": channel["title"],
                "summary": f"xero-stream writes to {channel['address']}.",
                "channel": {"$ref": f"#/channels/{name}"},
            }
            for name, channel in channels.items()
        },
        "components": {"messages": dict(_messages(entities, schemas, headers, examples))},
    }


def _channel(address: str, title: str, message: str, description: str, *, days: int | None) -> dict[str, Any]:
    policy: dict[str, Any] = {"cleanup.policy": ["compact"]}
    if days is not None:
        policy = {"cleanup.policy": ["delete"], "retention.ms": days * _DAY_MS}
    return {
        "address": address,
        "title": title,
        "description": description,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {
            "kafka": {
                "topic": address,
                "topicConfiguration": {**policy, "max.message.bytes": _LARGEST_MESSAGE},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _messages(
    entities: Collection[EntityName],
    schemas: Mapping[str, str],
    headers: Mapping[str, Any],
    examples: Mapping[str, Any],
) -> Iterator[tuple[str, dict[str, Any]]]:
    tenant_key = {"type": ["string", "null"], "description": "Tenant id; null for an event without one."}
    record_key = {
        "type": "object",
        "description": "Fields of the unified record, as compact JSON in this order.",
        "properties": {"tenant_id": {"type": "string"}, "id": {"type": "string"}},
        "required": ["tenant_id", "id"],
    }
    rows: list[tuple[str, str, dict[str, Any]]] = [("WebhookEvent", "Webhook event", tenant_key)]
    for entity in entities:
        words = entity.singular.replace("-", " ")
        rows.append((_title(entity, "Change"), f"Change of a record: {words}", record_key))
        rows.append((_title(entity, "Latest"), f"Latest state of a record: {words}", record_key))
    for name, title, key in rows:
        message = _message(name, title, key, headers[name], {"$ref": schemas[name]}, _JSON)
        yield name, {**message, "examples": [examples[name]]} if name in examples else message
    original = {"type": ["string", "null"], "description": "The original record's key."}
    payload = {"type": "string", "format": "binary", "description": "The original bytes."}
    yield (
        "DeadLetter",
        _message("DeadLetter", "Dead letter", original, headers["DeadLetter"], payload, "application/octet-stream"),
    )


def _message(
    name: str, title: str, key: dict[str, Any], headers: Any, payload: dict[str, Any], content_type: str
) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "contentType": content_type,
        "headers": headers,
        "payload": payload,
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
    }


def _title(entity: EntityName, suffix: str) -> str:
    return "".join(word.capitalize() for word in entity.singular.split("-")) + suffix


def _words(entity: EntityName) -> str:
    return entity.value.replace("-", " ")


def _camel(prefix: str, entity: EntityName) -> str:
    return prefix + "".join(word.capitalize() for word in entity.value.split("-"))


def to_yaml(value: Any) -> str:
    """YAML in block style; strings in double quotes, as in JSON.

    Args:
        value: dicts, lists, strings, numbers, bools and None.
    """
    return "\n".join(_lines(value)) + "\n"


def _lines(value: Any, indent: str = "") -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            label = key if key.replace("_", "").isalnum() else json.dumps(key)
            yield from _entry(f"{indent}{label}:", item, indent + "  ")
    elif isinstance(value, list) and value:
        for item in value:
            yield from _entry(f"{indent}-", item, indent + "  ")
    else:
        yield indent + json.dumps(value, ensure_ascii=False)


def _entry(label: str, item: Any, indent: str) -> Iterator[str]:
    if isinstance(item, dict | list) and item:
        yield label
        yield from _lines(item, indent)
    else:
        yield f"{label} {json.dumps(item, ensure_ascii=False)}"
