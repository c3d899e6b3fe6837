"""An authority for time stamps on loopback, made of OpenSSL, that can also answer wrongly."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.certificates import Holder, make, usage

TIME_STAMPING = "1.3.6.1.5.5.7.3.8"

_CONFIG = """
[tsa]
default_tsa = it
[it]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.crt
certs = {folder}/chain.crt
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def tsa_signer(issuer: Holder, **options: object) -> Holder:
    """The certificate of an authority for time stamps."""
    found = {
        "key_usage": usage("digital_signature"),
        "eku": [TIME_STAMPING],
        "eku_critical": True,
    }
    return make("TSA", issuer, **(found | options))  # type: ignore[arg-type]


@dataclass
class TimeStamper:
    """``change`` turns a right response into the one that is sent."""

    folder: Path
    url: str = ""
    status: int = 200
    content_type: str = "application/timestamp-reply"
    change: Callable[[bytes], bytes] = lambda response: response
    questions: list[bytes] = field(default_factory=list)

    def answer(self, question: bytes) -> bytes:
        self.questions.append(question)
        query, reply = self.folder / "query", self.folder / "reply"
        query.write_bytes(question)
        subprocess.run(
            [
                "openssl", "ts", "-reply", "-config", str(self.folder / "tsa.cnf"),
                "-queryfile", str(query), "-out", str(reply),
            ],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip
        return self.change(reply.read_bytes())


@contextmanager
def time_stamper(folder: Path, signer: Holder, *chain: Holder) -> Iterator[TimeStamper]:
    """An authority that answers until the block ends."""
    folder.mkdir()
    (folder / "tsa.crt").write_bytes(signer.pem)
    (folder / "chain.crt").write_bytes(b"".join(each.pem for each in chain))
    (folder / "tsa.key").write_bytes(signer.key_pem)
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder))
    stamper = TimeStamper(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/timestamp-query"
            response = stamper.answer(question)
            self.send_response(stamper.status)
            self.send_header("Content-Type", stamper.content_type)
            self.send_header("Content-Length", str(len(response)))
            self.end_headers()
            self.wfile.write(response)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stamper.url = f"http://127.0.0.1:{server.server_address[1]}/tsa"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stamper
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
