"""A detached CMS signature by pyHanko, and its judgement of one.

    pyhanko_cms.py sign DOCUMENT CERTIFICATE KEY OUT
    pyhanko_cms.py verify DOCUMENT AUTHORITY TIME SIGNATURE
"""

import asyncio
import datetime
import sys

from asn1crypto import cms, core
from pyhanko.keys import load_cert_from_pemder
from pyhanko.sign import signers
from pyhanko.sign.validation import KeyUsageConstraints, async_validate_detached_cms
from pyhanko_certvalidator import ValidationContext


def sign(document, certificate, key, out):
    signer = signers.SimpleSigner.load(key, certificate)
    with open(document, "rb") as f:
        signed = asyncio.run(signer.async_sign_general_data(f.read(), "sha256", detached=True))
    with open(out, "wb") as f:
        f.write(signed.dump())


def verify(document, authority, moment, signature):
    context = ValidationContext(
        trust_roots=[load_cert_from_pemder(authority)],
        allow_fetching=False,
        revocation_mode="soft-fail",
        moment=datetime.datetime.fromisoformat(moment),
    )
    with open(signature, "rb") as f:
        info = cms.ContentInfo.load(f.read(), strict=True)
    assert info["content_type"].native == "signed_data"
    with open(document, "rb") as f:
        status = asyncio.run(
            async_validate_detached_cms(
                f,
                info["content"],
                signer_validation_context=context,
                key_usage_settings=KeyUsageConstraints(key_usage={"digital_signature"}),
            )
        )
    print(status.pretty_print_details() if hasattr(status, "pretty_print_details") else status)
    assert status.intact and status.valid and status.trusted, status


if __name__ == "__main__":
    {"sign": sign, "verify": verify}[sys.argv[1]](*sys.argv[2:])
