"""Who we are and whom we trust on OPC UA: our own certificate and the fingerprints of servers, kept in the secrets folder."""

from __future__ import annotations

import hashlib
import os
import socket
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FOLDER = "opcua"
_YEARS = 20
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with its private key; ``uri`` is the application URI inside, ``file`` the DER copy to hand out."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey
    uri: str
    file: Path


def identity(secrets: Path, name: str, uri: str, wall_ns: int) -> Identity:
    """The identity called ``name``, made at first use (RSA 2048, self-signed) and the same ever after.

    Key and certificate live in one file of mode 0600 that is put in place in one step, so that two processes
    starting together end up with one and the same. Raises OSError, ValueError when the file is broken.
    """
    path = secrets / FOLDER / f"{name}.pem"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _place(path, _make(name, uri, wall_ns))
    raw = path.read_bytes()
    certificate = x509.load_pem_x509_certificate(raw)
    key = serialization.load_pem_private_key(raw, None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{path} holds no RSA key")
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = names.get_values_for_type(x509.UniformResourceIdentifier)
    public = path.with_suffix(".der")
    if not public.exists():
        public.write_bytes(certificate.public_bytes(Encoding.DER))
    return Identity(certificate, key, found[0] if found else uri, public)


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a DER certificate, as devices show it: AB:CD:…."""
    digest = hashlib.sha256(certificate).hexdigest().upper()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))


def pin_file(secrets: Path, connection: str) -> Path:
    """Where the trusted fingerprint of a connection's server is written."""
    return secrets / FOLDER / "trusted" / f"{connection}.sha256"


def pinned(secrets: Path, connection: str) -> str:
    """The trusted fingerprint, or an empty string."""
    path = pin_file(secrets, connection)
    return path.read_text(encoding="utf-8").strip().upper() if path.exists() else ""


def pin(secrets: Path, connection: str, seen: str) -> None:
    """Trust this fingerprint from now on."""
    path = pin_file(secrets, connection)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _place(path, f"{seen}\n".encode())


def _place(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all, and never over one that is there already."""
    handle, temporary = tempfile.mkstemp(dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass  # somebody else was first; theirs counts
    finally:
        Path(temporary).unlink()


def _make(name: str, uri: str, wall_ns: int) -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = datetime.fromtimestamp(wall_ns / _NS, UTC)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"zhongshu {name}"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "zhongshu"),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=True, data_encipherment=True,
        key_agreement=False, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    hosts = dict.fromkeys(("localhost", socket.gethostname()))
    names = [x509.UniformResourceIdentifier(uri), *(x509.DNSName(host) for host in hosts)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)
