"""What Jupyter's server does for the course: a message for the page leaves at once.

A kernel answers a drag with small messages, and TCP holds a small one back until the one before it is acknowledged; the
page acknowledges after up to 40 ms, unless it has something to send (Nagle's algorithm meets delayed acknowledgement).
Tornado leaves that on, and so does Jupyter's server.
"""

from __future__ import annotations

from asyncio import Future

from jupyter_server.serverapp import ServerApp
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """Between a page and a kernel, without the wait for acknowledgements."""

    def connect(self) -> Future[None] | None:
        self.websocket_handler.set_nodelay(True)
        return super().connect()


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    if not issubclass(PromptConnection, server.kernel_websocket_connection_class):
        return  # kernels are reached another way, through a gateway for instance
    server.web_app.settings["kernel_websocket_connection_class"] = PromptConnection
