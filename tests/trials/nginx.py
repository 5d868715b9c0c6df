"""nginx with the configuration that we ship (`deploy/nginx.conf`), in front of web nodes on this machine."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.booting import free_port
from tests.processes import until
from tests.trials.installation import is_alive

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "deploy" / "nginx.conf"
MAIN = """
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log info;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/gamify.conf;
}}
"""


def nginx_program() -> str:
    """nginx of this machine. Skips the test if there is none."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")
    if not found:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    return found


def configuration(folder: Path, *, plain: int, nodes: Sequence[int]) -> str:
    """The shipped configuration with ports of this machine. It listens without TLS on `plain`, and logs to `folder`."""
    replaced = {
        "10.0.0.11:8000": f"127.0.0.1:{nodes[0]}",
        "10.0.0.12:8000": f"127.0.0.1:{nodes[1]}",
        "listen 80;": "",
        "listen [::]:80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{plain};",
        "listen [::]:443 ssl http2;": "",
        "ssl_certificate     /etc/nginx/tls/gamify.pem;": "",
        "ssl_certificate_key /etc/nginx/tls/gamify.key;": "",
        "/var/log/nginx/": f"{folder}/",
    }
    text = CONFIGURATION.read_text()
    for shipped, here in replaced.items():
        assert shipped in text, shipped
        text = text.replace(shipped, here)
    return text


@contextlib.contextmanager
def nginx_before(folder: Path, nodes: Sequence[int]) -> Iterator[int]:
    """nginx in front of two web nodes on these ports. Yields its port."""
    program, port = nginx_program(), free_port()
    folder.mkdir()
    (folder / "gamify.conf").write_text(configuration(folder, plain=port, nodes=nodes))
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    command = [program, "-p", str(folder), "-e", str(folder / "nginx-error.log"), "-c", str(folder / "nginx.conf")]
    with (folder / "nginx.out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        until(lambda: is_alive(port), what=f"nginx answers: {(folder / 'nginx.out').read_text()}")
        yield port
    finally:
        process.terminate()
        process.wait(10)
