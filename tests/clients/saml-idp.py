"""An identity provider for the tests: pysaml2's. Told what to do as JSON, it answers as JSON."""
import functools
import json
import sys

import saml2.entity
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NameID
from saml2.server import Server
from saml2.sigver import verify_redirect_signature

told = json.loads(sys.argv[1])
URI = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
sso = "https://idp.example/sso"
config = IdPConfig().load({
    "entityid": told["entity_id"],
    "xmlsec_binary": "/usr/bin/xmlsec1",
    "key_file": told["key"],
    "cert_file": told["certificate"],
    "metadata": {"inline": [told["metadata"]]} if "metadata" in told else {},
    "service": {"idp": {
        "endpoints": {"single_sign_on_service": [
            (sso, BINDING_HTTP_REDIRECT), (sso, BINDING_HTTP_POST)]},
        "policy": {"default": {"lifetime": {"minutes": 5}, "name_form": URI}},
        "want_authn_requests_signed": told.get("signed", False) and told["binding"] == "post",
        "subject_data": ("dict", {}),
    }},
})

if "request" not in told:
    print(json.dumps({"metadata": str(entity_descriptor(config))}))
    sys.exit()

server = Server(config=config)
binding = BINDING_HTTP_POST if told["binding"] == "post" else BINDING_HTTP_REDIRECT
request = server.parse_authn_request(told["request"], binding)
if told.get("signed") and binding == BINDING_HTTP_REDIRECT:
    sender = request.message.issuer.text
    query = {"SAMLRequest": told["request"], "RelayState": told["relay_state"],
             "SigAlg": told["sig_alg"], "Signature": told["signature"]}
    certificate = server.metadata.certs(sender, "any", "signing")[0]
    if isinstance(certificate, tuple):  # newer releases name their keys
        certificate = certificate[1]
    assert verify_redirect_signature(query, server.sec.sec_backend, certificate), "the signature"
if told.get("encrypted"):
    gcm = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
    saml2.entity.pre_encryption_part = functools.partial(
        saml2.entity.pre_encryption_part, msg_enc=told.get("cipher", gcm))
    encrypt = server.sec.encrypt_assertion
    server.sec.encrypt_assertion = lambda *a, **k: encrypt(*a, **{**k, "key_type": "aes-256"})

answer = server.create_authn_response(
    told["identity"],
    userid="u",
    name_id=NameID(format=told["name_format"], text=told["name"]),
    authn={"class_ref": told["context"], "authn_auth": told["entity_id"]},
    sign_response=told["sign_response"],
    sign_assertion=told["sign_assertion"],
    encrypt_assertion=told.get("encrypted", False),
    sign_alg="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    digest_alg="http://www.w3.org/2001/04/xmlenc#sha256",
    **server.response_args(request.message),
)
print(json.dumps({"response": str(answer), "force_authn": request.message.force_authn}))
