"""Makes the keys of the three clients and the configuration of the simulated service: prepare.py DIRECTORY."""
import json
import pathlib
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import ECKey, RSAKey

directory = pathlib.Path(sys.argv[1])


def write(name: str, value) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    (directory / name).write_text(text, encoding="utf-8")


# openid-client: P-256, registered as a JWK Set.
ec = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True, auto_kid=True)
write("js.jwk", ec.as_dict(private=True))
write("js.jwks", {"keys": [ec.as_dict(private=False)]})

# Authlib: RSA, registered as PEM; the assertions name no key.
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
write("py.pem", key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode())
write("py.pub.pem", key.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode())

# Nimbus: RSA, registered as JWK with a name.
named = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "nimbus"}, private=True)
write("java.jwk", named.as_dict(private=True))
write("java.pub.jwk", named.as_dict(private=False))

redirect = ["https://shop.example/callback"]
write("service.json", {
    "listen": "127.0.0.1:0", "https": "tls", "control": "control.token",
    "clients": [
        {"client_id": "RPjs", "redirect_urls": redirect, "jwks_file": "js.jwks"},
        {"client_id": "RPpy", "redirect_urls": redirect, "pem_file": "py.pub.pem"},
        {"client_id": "RPjava", "redirect_urls": redirect, "jwk_file": "java.pub.jwk"},
    ],
    "cards": [{"person": "hanako"}],
    "log": True,
})
