"""Run a real nginx with TLS that serves an application under a path."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HOW_TO_INSTALL = "nginx and openssl are needed: run the tests by `make test`, which installs them"
PATIENCE = 60

CONFIG = """
daemon off;
{user}
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/certificate.pem;
    ssl_certificate_key {folder}/key.pem;
    location {prefix}/ {{
      proxy_pass {address}/;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Prefix {prefix};
      {more}
    }}
    location / {{ return 404 "outside of the prefix"; }}
  }}
}}
"""


def find_nginx() -> str:
    """Return the program; skip the test if it or openssl is not installed."""
    nginx = (
        os.environ.get("READBACK_NGINX")
        or shutil.which("nginx")
        or shutil.which("nginx", path="/usr/sbin")
    )
    if nginx is None or shutil.which("openssl") is None:
        if os.environ.get("CI") == "true":
            pytest.fail(HOW_TO_INSTALL)
        pytest.skip(HOW_TO_INSTALL)
    return nginx


@contextmanager
def run_nginx(address: str, prefix: str, folder: Path, *, more: str = "") -> Iterator[str]:
    """Serve the application at `address` under `prefix`; yield its https address.

    `more` are further directives for its location.
    """
    nginx = find_nginx()
    make_certificate(folder)
    # Bound here and inherited: connections wait in it until nginx has started.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        user = "user root;" if os.getuid() == 0 else ""
        config = folder / "nginx.conf"
        config.write_text(
            CONFIG.format(
                user=user, folder=folder, port=port, prefix=prefix, address=address, more=more
            )
        )
        process = subprocess.Popen(
            [nginx, "-c", config, "-e", folder / "error.log", "-p", folder],
            env={**os.environ, "NGINX": f"{listener.fileno()};"},
            pass_fds=[listener.fileno()],
        )
    try:
        yield f"https://127.0.0.1:{port}{prefix}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def make_certificate(folder: Path) -> None:
    """Write `certificate.pem` and `key.pem` for 127.0.0.1."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")],
        check=True,
        capture_output=True,
    )
