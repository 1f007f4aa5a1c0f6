"""Receives alerts on 127.0.0.1: mail with STARTTLS and a password, and webhooks. Prints one JSON object a line: first where it
listens, then each thing that it got. Ends when its standard input does."""

import http.server
import json
import socket
import ssl
import sys
import threading
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from standardwebhooks import Webhook

certificate, key, secret = sys.argv[1:4]
lock = threading.Lock()


def say(**what):
    with lock:
        print(json.dumps(what), flush=True)


class Mailbox:
    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        text = mail.get_body(("plain",)).get_content()
        html = mail.get_body(("html",)).get_content()
        say(
            mail=mail["subject"], id=mail["message-id"], sender=envelope.mail_from, to=envelope.rcpt_tos,
            tls=session.ssl is not None, text=text, html=html,
        )
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"penguindome" and data.password == b"correct horse")


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("location", "/hook")
        elif self.path == "/gone":
            self.send_response(410)
        else:
            Webhook(secret).verify(body, dict(self.headers))
            say(hook=json.loads(body), id=self.headers["webhook-id"], bytes=len(body))
            self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments):
        pass


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)
# The controller tries whether it runs at the port that it was told, so that 0 will not do: the first free one is found here.
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
mail = Controller(
    Mailbox(), hostname="127.0.0.1", port=port, tls_context=context, require_starttls=True, authenticator=authenticate,
    auth_required=True,
)
mail.start()
hooks = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
threading.Thread(target=hooks.serve_forever, daemon=True).start()
say(smtp=port, http=hooks.server_address[1])
sys.stdin.read()
