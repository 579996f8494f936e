"""Are frames read as they were sent, however the bytes arrive?"""

import random
import socket
import struct
import threading

import pytest

from monitors.venues.connection import OWN_TIMEOUT_S, BufferedWebSocket, ConnectionEnded, read_frames


def frame(payload: bytes, opcode: int = 1, final: bool = True) -> bytes:
    head = bytes([(0x80 if final else 0) | opcode])
    length = len(payload)
    if length < 126:
        return head + bytes([length]) + payload
    return head + (struct.pack("!BH", 126, length) if length < 65_536 else struct.pack("!BQ", 127, length)) + payload


@pytest.fixture
def pair() -> tuple[socket.socket, BufferedWebSocket]:
    ours, theirs = socket.socketpair()
    ours.settimeout(OWN_TIMEOUT_S)
    connection = BufferedWebSocket()
    connection.sock, connection.connected = ours, True
    return theirs, connection


def read_all(connection: BufferedWebSocket) -> list[bytes]:
    found: list[bytes] = []
    try:
        while True:
            found += read_frames(connection)
    except ConnectionEnded:
        return found


@pytest.mark.parametrize("seed", range(8))
def test_frames_of_every_kind_and_length_come_through_any_splitting(pair: tuple[socket.socket, BufferedWebSocket], seed: int) -> None:
    theirs, connection = pair
    dice = random.Random(seed)
    payloads = [dice.randbytes(dice.choice([0, 1, 125, 126, 127, 300, 5_000, 70_000])) for _ in range(40)]
    stream = b""
    for payload in payloads:
        kind = dice.randrange(5)
        if kind == 0:
            stream += frame(b"ping", 9)
        if kind == 1 and len(payload) > 2:
            stream += frame(payload[:1], 1, final=False) + frame(b"", 9) + frame(payload[1:], 0)
        else:
            stream += frame(payload, 2 if kind == 2 else 1)
    stream += frame(struct.pack("!H", 1000), 8)
    sender = threading.Thread(target=send_in_pieces, args=(theirs, stream, dice), daemon=True)
    sender.start()
    connection.settimeout(0.001)
    assert read_all(connection) == payloads
    sender.join(1)


def send_in_pieces(theirs: socket.socket, stream: bytes, dice: random.Random) -> None:
    sent = 0
    while sent < len(stream):
        piece = stream[sent : sent + dice.choice([1, 2, 3, 50, 4_000, 60_000])]
        theirs.sendall(piece)
        sent += len(piece)
