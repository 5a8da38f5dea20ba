"""What stands where a file is expected and is none. Each is made at the path it is given."""

import os
import socket
from pathlib import Path


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def standard_input(path: Path) -> None:
    path.symlink_to("/dev/stdin")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def bound_socket(path: Path) -> None:
    at = os.open(path.parent, os.O_RDONLY)  # the whole path may be too long for a socket
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{at}/{path.name}")
    os.close(at)


def link_to_nothing(path: Path) -> None:
    path.symlink_to("nothing")
