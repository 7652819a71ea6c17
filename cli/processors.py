"""``xero-stream processors``."""

from cli.exits import ExitCode, guarded
from cli.service import WithParent, run_service
from processors.app import ProcessorsConfig, RefusedError, run
from xero_stream.kafka.admin import KafkaUnreachableError
from xero_stream.store.deployment import DeploymentMismatchError
from xero_stream.store.pool import StoreUnreachableError


@guarded(
    examples=(
        "xero-stream processors",
        "XERO_STREAM_GROUP_INSTANCE_ID=$HOSTNAME xero-stream processors",
        "(a quick restart then moves no partition)",
    ),
    unreachable=(StoreUnreachableError, KafkaUnreachableError),
    configuration=(RefusedError, DeploymentMismatchError),
)
def processors(with_parent: WithParent = False) -> ExitCode:
    """Turn events into truth: read changed records from Xero inside its limits, publish change events exactly once.

    Start as many as there are partitions at most; Kafka shares the partitions out. Needs Kafka, PostgreSQL and Xero,
    a migrated store (`xero-stream migrate`) and its topics (`xero-stream topics apply`). Private port 9465: /livez,
    /readyz, /metrics. Waits for Kafka and PostgreSQL if they are not there yet. SIGTERM finishes the calls under way and
    gives the partitions up; `kill -9` loses nothing.
    """
    config = ProcessorsConfig.read()
    run_service(lambda stop: run(config, stop), service="processors", with_parent=with_parent)
    return ExitCode.OK
