"""Ports that nobody else will be given for a while."""

import socket


def free_port() -> int:
    """A free port on 127.0.0.1, left in TIME_WAIT.

    For the next minute the kernel gives such a port to nobody who asks for "any port", neither
    another worker's `free_port` nor an outgoing connection, while a server that sets
    SO_REUSEADDR (all of ours do) can bind it. Only somebody who asks for this very number can
    still take it, which is why `Server` tries again with another one.
    """
    with socket.socket() as listener:
        # Both the old and the new user of a port in TIME_WAIT must have asked for this.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        port: int = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = listener.accept()
            # The side that closes first keeps the port in TIME_WAIT: it must be the listener's.
            accepted.close()
            client.recv(1)
    return port
