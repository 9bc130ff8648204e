"""Reading one JSON answer from a fixed list of public hosts. The only file that reaches the network, and only if asked.

HTTPS alone, no redirects, no proxy, every address of the host must be a public one and the connection goes to an
address that was checked; 5 seconds and 5 MB at most.
"""

import http.client
import ipaddress
import json
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from data.errors import Unavailable

HOSTS = ("api.electricitymaps.com", "api.carbonintensity.org.uk", "api.energidataservice.dk")
TIMEOUT_S = 5.0
LIMIT_BYTES = 5_000_000
CHUNK_BYTES = 65_536
PORT = 443
HINT = "The shipped table is used instead; live values can be switched off."


class Transport(Protocol):
    """How a name becomes addresses, and a request an answer."""

    def resolve(self, host: str) -> list[str]:
        """The addresses of a host."""

    def fetch(self, host: str, address: str, target: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and body of GET https://host/target, asked of this address."""


class Https:
    """The real transport."""

    def resolve(self, host: str) -> list[str]:
        found = socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    def fetch(self, host: str, address: str, target: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        deadline = time.monotonic() + TIMEOUT_S
        connection = _Pinned(host, address)
        try:
            connection.request("GET", target, headers={"Accept": "application/json", **headers})
            answer = connection.getresponse()
            body = b""
            while chunk := answer.read(CHUNK_BYTES):
                body += chunk
                if len(body) > LIMIT_BYTES or time.monotonic() > deadline:
                    raise TimeoutError("the answer is too long or too slow")
            return answer.status, body
        finally:
            connection.close()


class _Pinned(http.client.HTTPSConnection):
    """A connection to an address that was checked; the certificate must still be the host's."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(host, PORT, timeout=TIMEOUT_S, context=ssl.create_default_context())
        self._address, self._tls = address, ssl.create_default_context()

    def connect(self) -> None:
        plain = socket.create_connection((self._address, PORT), timeout=TIMEOUT_S)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


def get_json(url: str, headers: Mapping[str, str] | None = None, transport: Transport | None = None) -> Any:
    """The JSON at this URL. Raises Unavailable where the host is not on the list or not public, where it does not
    answer in time, answers with anything but 200, or with what is no JSON."""
    transport = transport or Https()
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.hostname not in HOSTS or parts.port not in (None, PORT) or parts.username:
        raise Unavailable("Live values come only from a fixed list of hosts, by HTTPS.", hint=HINT)
    host = parts.hostname
    try:
        addresses = transport.resolve(host)
        if not addresses or not all(ipaddress.ip_address(address).is_global for address in addresses):
            raise Unavailable(f"The address of {host} is not a public one.", hint=HINT)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        status, body = transport.fetch(host, addresses[0], target, headers or {})
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unavailable(f"{host} did not answer.", hint=HINT, details=str(error)) from error
    if status != http.client.OK:
        raise Unavailable(f"{host} answered {_meaning(status)}.", hint=HINT)
    try:
        return json.loads(body[:LIMIT_BYTES])
    except ValueError as error:
        raise Unavailable(f"{host} answered with something that is no JSON.", hint=HINT, details=str(error)) from error


def _meaning(status: int) -> str:
    known = {401: "that the key is wrong", 403: "that it is not allowed", 404: "that it does not know the zone",
             429: "that the limit of requests is reached"}  # fmt: skip
    return known.get(status, f"with status {status}")
