# SPDX-License-Identifier: MIT
"""HTTP servers of the tests, for machines on QEMU's own networks."""
import contextlib
import http.server
import threading


@contextlib.contextmanager
def serve(handler):
    """Runs the handler on this machine only, which is 10.0.2.2 on QEMU's network; gives the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
