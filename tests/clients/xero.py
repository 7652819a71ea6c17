"""A simulator that clients take for Xero: TLS on the loopback, by a throw-away authority, under Xero's names."""

import asyncio
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from simulator.app import create_app, create_world
from tests.integration.simulator.rig import free_port
from xero_stream.settings.simulator import SimulatorSettings

HOSTS = ("api.xero.com", "identity.xero.com", "login.xero.com")

_LIKE = {"tenants": 1, "contacts": 15, "invoices": 120, "credit_notes": 20, "webhook_batch_ms": 0, "tier": "advanced"}
"""Large enough to page; the tier has the general ledger."""


@dataclass(frozen=True, slots=True)
class Xero:
    """Where it is.

    Attributes:
        plain: port without TLS, for the test's own requests.
        secure: port with TLS, for the client.
        authority: file with the certificate that clients have to trust.
    """

    plain: int
    secure: int
    authority: Path


@contextmanager
def pretended(folder: Path) -> Iterator[Xero]:
    """Run one until the block ends.

    Args:
        folder: for certificates.
    """
    found = Xero(plain=free_port(), secure=free_port(), authority=folder / "authority.pem")
    context = _certified(folder)
    ready, loop = threading.Event(), asyncio.new_event_loop()
    stopped = asyncio.Event()

    async def serve() -> None:
        settings = SimulatorSettings.read(**_LIKE, port=found.plain, host_names=list(HOSTS))
        runner = web.AppRunner(create_app(settings, create_world(settings)), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", found.plain).start()
        await web.TCPSite(runner, "127.0.0.1", found.secure, ssl_context=context).start()
        ready.set()
        await stopped.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(60)
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
        loop.close()


def _certified(folder: Path) -> ssl.SSLContext:
    """Make an authority and a certificate for Xero's names; both end with the day."""
    authority, certificate = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A test's authority")])
    now = datetime.now(UTC)

    def build(name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
        )

    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    root = (
        build(issuer, authority)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(authority, hashes.SHA256())
    )
    names = [*(x509.DNSName(host) for host in HOSTS), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaf = (
        build(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOSTS[0])]), certificate)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(authority, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "authority.pem").write_bytes(root.public_bytes(pem))
    (folder / "leaf.pem").write_bytes(
        leaf.public_bytes(pem)
        + certificate.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "leaf.pem")
    return context
