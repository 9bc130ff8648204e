"""Every test runs in a home of its own and reaches no network but this machine."""

import socket

import pytest

from data import passing

_connect = socket.socket.connect


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """RIGHTSIZE_HOME is a folder of this test."""
    folder = tmp_path / "home"
    monkeypatch.setenv("RIGHTSIZE_HOME", str(folder))
    monkeypatch.setenv("RIGHTSIZE_WARM", "0")  # no child of the sandbox waits for a file that never comes
    yield folder
    passing.let_go()


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A connection to anything but this machine fails the test that makes it."""

    def connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a connection to {address} was tried")
        return _connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
