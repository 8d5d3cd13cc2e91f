"""A start-up file for kernels: no connection leaves the machine, so that a run is repeatable."""

import socket


def _guard(name):
    original = getattr(socket.socket, name)

    def guarded(self, *args):
        address = args[-1]
        host = address[0] if isinstance(address, tuple) else "localhost"
        if host not in ("localhost", "::1", "") and not str(host).startswith("127."):
            raise ConnectionRefusedError(f"No network here: {name} to {host} is blocked.")
        return original(self, *args)

    setattr(socket.socket, name, guarded)


for _name in ("connect", "connect_ex", "sendto"):
    _guard(_name)
del _name
