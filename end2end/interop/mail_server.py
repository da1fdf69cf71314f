"""PyPI's `aiosmtpd`: a mail server on loopback that says what it was given, and refuses what it is told to refuse.

Standard input is one line of JSON: the port, what to answer to recipients before one is taken, and perhaps a folder with
a certificate, which brings STARTTLS and a login."""

import email.policy
import json
import ssl
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

asked = json.loads(sys.stdin.readline())
refusals = asked["refusals"]


def say(what):
    print(json.dumps(what), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if refusals:
            say({"refused": address})
            return refusals.pop(0).replace("ADDRESS", address)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = list(message.iter_parts())
        say({
            "mail": {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "hello": session.host_name,
                "tls": session.ssl is not None,
                "login": session.auth_data,
                "headers": [[name.lower(), value.strip()] for name, value in message.raw_items()],
                "types": [part.get_content_type() for part in parts],
                "bodies": [part.get_content() for part in parts],
            }
        })
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=data.password == asked["password"].encode(), auth_data=data.login.decode())


more = {}
if asked.get("certificate"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(asked["certificate"] + "/cert.pem", asked["certificate"] + "/key.pem")
    more = {"tls_context": context, "require_starttls": True, "authenticator": authenticate, "auth_required": True}
controller = Controller(Handler(), hostname="127.0.0.1", port=asked["port"], **more)
controller.start()
say("listening")
while True:
    time.sleep(3600)
