"""Looking at the settings. Nothing is opened."""

from collections.abc import Sequence

from cli.doctor.findings import Finding, fine, problem
from xero_stream.contracts.names import DEFAULT_APP
from xero_stream.settings.apps import App, Apps, WebhookApps
from xero_stream.settings.base import SettingsError
from xero_stream.settings.example import SECTIONS
from xero_stream.settings.store import EncryptionSettings
from xero_stream.store.crypto import TokenCipher


def look_at_settings() -> list[Finding]:
    """Every section can be read, every app has what it needs, every key is one."""
    findings = [*_sections(), *_apps()]
    return findings or [fine("settings", f"{sum(len(section.model_fields) for section in SECTIONS)} read")]


def _sections() -> list[Finding]:
    findings = []
    for section in SECTIONS:
        try:
            values = section.read()
            if isinstance(values, EncryptionSettings):
                TokenCipher(values.keys)
        except SettingsError as error:
            findings.append(problem("settings", str(error), "set it in the environment or in .env; see .env.example"))
    return findings


def _apps() -> list[Finding]:
    try:
        apps: Sequence[App] = Apps.read().all()
        keys = WebhookApps.read().all()
    except SettingsError as error:
        return [problem("apps", str(error), "correct it; see docs/configuration.md")]
    # Who configures apps in the file only has no app in the environment.
    in_use = [app for app in apps if app.name != DEFAULT_APP or keys.get(app.name) or app.client_id or len(apps) == 1]
    findings = [
        problem("apps", f"app {app.name} has no webhook signing key", "set it; without one it has no webhook path")
        for app in in_use
        if not keys.get(app.name)
    ]
    findings += [
        problem("apps", f"app {app.name} has no client id or secret", "set both, from Xero's developer portal")
        for app in in_use
        if not (app.client_id and app.client_secret)
    ]
    return findings
