"""What the page waits for leaves the server at once: in whichever Jupyter of the environment it was opened."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from jupyter_server.gateway.connections import GatewayWebSocketConnection
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler

from tutorial_lib.course import server


def test_a_connection_waits_for_no_acknowledgement(monkeypatch):
    done = []
    monkeypatch.setattr(ZMQChannelsWebsocketConnection, "connect", lambda self: done.append("connected"))
    handler = object.__new__(KernelWebsocketHandler)
    handler.ws_connection = SimpleNamespace(set_nodelay=done.append)
    server.PromptConnection(websocket_handler=handler).connect()
    assert done == [True, "connected"]


@pytest.mark.parametrize(
    ("used", "then"),
    [
        (ZMQChannelsWebsocketConnection, server.PromptConnection),
        (GatewayWebSocketConnection, GatewayWebSocketConnection),  # another way to the kernels stays as it is
    ],
)
def test_a_server_of_this_environment_takes_it(used, then):
    web_app = SimpleNamespace(settings={"kernel_websocket_connection_class": used})
    (point,) = server._jupyter_server_extension_points()
    module = sys.modules[point["module"]]
    module._load_jupyter_server_extension(SimpleNamespace(web_app=web_app, kernel_websocket_connection_class=used))
    assert web_app.settings["kernel_websocket_connection_class"] is then


def test_it_is_installed_with_the_course():
    installed = Path(sys.prefix) / "etc" / "jupyter" / "jupyter_server_config.d" / "tutorial_lib.json"
    assert json.loads(installed.read_text())["ServerApp"]["jpserver_extensions"] == {server.__name__: True}
