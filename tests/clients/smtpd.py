"""A mail server for tests: keeps each letter that it takes as a JSON file in a folder.

Arguments: MODE (plain, starttls or tls), PORT (0: any), FOLDER, and for TLS CERTIFICATE and KEY.
With starttls and tls it wants the user "narthex" with the password "p@ss:word". Letters to
refused@… are refused for ever, letters to later@… the first time that they come.
"""

import asyncio
import email
import email.policy
import json
import os
import pathlib
import ssl
import sys
import threading

from aiosmtpd.smtp import AuthResult, SMTP


class Keeper:
    def __init__(self, folder):
        self.folder, self.count, self.seen = folder, 0, set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 5.1.1 there is nobody of that name"
        if address.startswith("later@") and address not in self.seen:
            self.seen.add(address)
            return "451 4.7.1 come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = lambda kind: message.get_body(preferencelist=(kind,))
        text, html = part("plain"), part("html")
        self.count += 1
        letter = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": [[name, str(value)] for name, value in message.items()],
            "text": text.get_content() if text else "",
            "html": html.get_content() if html else "",
            "tls": server.transport.get_extra_info("ssl_object") is not None,
        }
        aside = self.folder / f"{self.count:06}.new"
        aside.write_text(json.dumps(letter))
        aside.rename(aside.with_suffix(".json"))
        return f"250 taken as {self.count}"


def authenticate(server, session, envelope, mechanism, data):
    is_right = (data.login, data.password) == (b"narthex", b"p@ss:word")
    return AuthResult(success=is_right, handled=is_right)


def main():
    mode, port, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
    context = None
    if mode != "plain":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[4], sys.argv[5])
    settings = {"authenticator": authenticate, "hostname": "mail.test"}
    if mode != "plain":
        settings["auth_required"] = True
    if mode == "starttls":
        settings |= {"require_starttls": True, "tls_context": context}
    if mode == "tls":
        settings["auth_require_tls"] = False

    keeper = Keeper(folder)

    async def serve():
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(keeper, **settings),
            "127.0.0.1",
            port,
            ssl=context if mode == "tls" else None,
        )
        print(f"listening on port {server.sockets[0].getsockname()[1]}", flush=True)
        async with server:
            await server.serve_forever()

    def end_with_the_test():
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=end_with_the_test, daemon=True).start()
    asyncio.run(serve())


main()
