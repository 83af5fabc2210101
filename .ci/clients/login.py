"""Authlib in its default configuration logs in and signs at the simulated service, steered by the control API."""
import base64
import hashlib
import os
import pathlib

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import KeySet

BASE, DIR = os.environ["BASE"], pathlib.Path(os.environ["DIR"])
TOKEN = (DIR / "control.token").read_text().strip()


def approve(authorization_url: str) -> str:
    """The person: one call takes the authorization URL and gives the callback URL."""
    answer = requests.post(f"{BASE}/control/visits", json={"authorization_url": authorization_url},
                           headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30).json()
    assert answer.get("outcome") == "approved", answer
    return answer["callback_url"]


metadata = requests.get(f"{BASE}/api/realms/main/.well-known/openid-configuration", timeout=30).json()


def session(scope: str | None) -> OAuth2Session:
    return OAuth2Session(
        "RPpy", (DIR / "py.pem").read_text(), scope=scope, redirect_uri="https://shop.example/callback",
        token_endpoint_auth_method=PrivateKeyJWT(metadata["token_endpoint"]), code_challenge_method="S256")


def login(scope: str, **extra: str) -> tuple[OAuth2Session, dict]:
    client = session(scope)
    verifier, nonce = generate_token(48), generate_token()
    url, state = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce, **extra)
    token = client.fetch_token(
        metadata["token_endpoint"], authorization_response=approve(url), state=state, code_verifier=verifier)
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=30).json())
    claims = jwt.decode(token["id_token"], keys, algorithms=["ES256"]).claims
    jwt.JWTClaimsRegistry(iss={"essential": True, "value": metadata["issuer"]}, aud={"essential": True, "value": "RPpy"},
                          nonce={"essential": True, "value": nonce}).validate(claims)
    return client, claims


client, claims = login("openid name address birthdate gender")
info = client.get(metadata["userinfo_endpoint"]).json()
assert info["sub"] == claims["sub"] and all(info.get(name) for name in ("name", "address", "birthdate", "gender")), info

service = session(None)
service.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
digest = base64.b64encode(hashlib.sha256("利用規約に同意します。".encode()).digest()).decode()
started = service.post(f"{BASE}/api/sign-transactions",
                       json={"client_id": "RPpy", "hash": digest, "hash_algorithm": "SHA-256"}).json()
signer, _ = login("openid sign", sign_transaction_id=started["sign_transaction_id"])
result = signer.get(f"{BASE}/api/sign-transactions/{started['sign_transaction_id']}/result").json()
assert result["signature_jwe"].count(".") == 4, result
print("Authlib: logged in and signed")
