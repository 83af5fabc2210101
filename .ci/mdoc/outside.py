"""A second implementation: python3 outside.py < JSON > JSON. It verifies the issuer's part alone."""
import json
import sys

from cryptography import x509
from pymdoccbor.mdoc.verifier import MdocCbor

request = json.load(sys.stdin)
document = MdocCbor()
document.loads(request["response"])
anchors = [x509.load_pem_x509_certificate(request["anchor"].encode())]
json.dump({"valid": bool(document.verify(trusted_root_certs=anchors, verify_hashes=True))}, sys.stdout)
