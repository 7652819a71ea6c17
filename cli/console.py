"""``xero-stream console``."""

from cli.exits import ExitCode, guarded
from cli.service import WithParent, run_service
from console.app import ConsoleConfig, run


@guarded(examples=("xero-stream console", 'curl -H "Authorization: Bearer $KEY" http://127.0.0.1:8081/v1/me'))
def console(with_parent: WithParent = False) -> ExitCode:
    """Answer programs that have an API key: changes, organisations, keys, the audit log; port 8081 on the loopback.

    Reads PostgreSQL only. While it is down, requests are answered 503 with Retry-After; it need not be there at the
    start. Any number of consoles may run. Private port 9466: /livez, /readyz, /metrics. Make the first key with
    `xero-stream api-keys create`; the API describes itself at /v1/openapi.json.
    """
    config = ConsoleConfig.read()
    run_service(lambda stop: run(config, stop), service="console", with_parent=with_parent)
    return ExitCode.OK
