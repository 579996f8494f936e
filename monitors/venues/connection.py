"""How are frames read from a socket? websocket-client with a read buffer, and the words for what went wrong."""

import socket
import ssl

import websocket

READ_BYTES = 65_536  # the library reads a header, a length and a payload by themselves: three system calls a frame without a buffer
WHOLE_TEXT = 0x81  # RFC 6455: final fragment, text
LENGTH_IN_TWO_BYTES = 126
LONGEST_HEAD = 4  # bytes of a frame's head with such a length; a frame that is shorter altogether is left to the library, too
OWN_TIMEOUT_S = 0.25  # how long a read waits before keep-alive, watchdog and stop are looked at


class BufferedWebSocket(websocket.WebSocket):
    """The library's own socket, reading ahead; a time-out in the middle of a frame loses nothing."""

    def __init__(self) -> None:
        super().__init__(skip_utf8_validation=True)  # the JSON decoder refuses bad UTF-8, four times as fast
        self._ahead = b""
        self._taken = 0

    def _recv(self, bufsize: int) -> bytes:
        if self._taken >= len(self._ahead):
            self._ahead, self._taken = super()._recv(READ_BYTES), 0  # type: ignore[no-untyped-call]  # the library's own
        start = self._taken
        self._taken = min(start + bufsize, len(self._ahead))
        return self._ahead[start : self._taken]

    def frames_ahead(self) -> list[bytes]:
        """The whole, unfragmented text frames that were already read ahead, up to the first that is something else or not all there.

        What is left is the library's. Taken like this a frame costs a twentieth of the library's way through header, length and payload.
        """
        ahead, start, frames = self._ahead, self._taken, []
        end = len(ahead) if self._between_frames() else 0
        while start + LONGEST_HEAD <= end and ahead[start] == WHOLE_TEXT:
            length, payload = ahead[start + 1], start + 2
            if length == LENGTH_IN_TWO_BYTES:
                length, payload = ahead[start + 2] << 8 | ahead[start + 3], start + 4
            elif length > LENGTH_IN_TWO_BYTES:
                break
            if payload + length > end:
                break
            start = payload + length
            frames.append(ahead[payload:start])
        self._taken = start
        return frames

    def _between_frames(self) -> bool:
        return self.frame_buffer.header is None and not self.frame_buffer.recv_buffer and not self.cont_frame.recving_frames


class ConnectionEnded(ConnectionError):
    """The venue, or our own watchdog, ended the connection; the text says why."""


def open_socket(url: str, handshake_timeout_s: float) -> BufferedWebSocket:
    """Connect and shake hands; afterwards a read waits `OWN_TIMEOUT_S` at most. Raises OSError or WebSocketException."""
    connection = BufferedWebSocket()
    connection.connect(url, timeout=handshake_timeout_s)  # type: ignore[no-untyped-call]  # the library's own
    connection.settimeout(OWN_TIMEOUT_S)
    return connection


def read_frames(connection: BufferedWebSocket) -> list[bytes]:
    """The next data frame and all that were received along with it; none when none came in time, or only a ping (which is answered).

    Raises ConnectionEnded when the venue closes.
    """
    try:
        opcode, frame = connection.recv_data_frame(control_frame=True)  # else frequent pings keep it from returning
    except websocket.WebSocketTimeoutException:
        return []
    if opcode == websocket.ABNF.OPCODE_CLOSE:
        raise ConnectionEnded(f"closed by the venue: {_close_reason(frame.data)}")
    if opcode in (websocket.ABNF.OPCODE_PING, websocket.ABNF.OPCODE_PONG):
        return connection.frames_ahead()
    data = frame.data
    return [data if isinstance(data, bytes) else bytes(data), *connection.frames_ahead()]


def close(connection: BufferedWebSocket) -> None:
    """Say good-bye without waiting for the answer, and close."""
    connection.close(timeout=0)
    connection.shutdown()  # type: ignore[no-untyped-call]  # `close` does nothing when the venue closed first


def _close_reason(data: bytes) -> str:
    code = int.from_bytes(data[:2], "big") if len(data) >= 2 else 1005
    return f"{code} {data[2:].decode('utf-8', 'replace')}".strip()


def describe(error: BaseException) -> str:
    """What went wrong, in a few words without the response's headers and body."""
    if isinstance(error, websocket.WebSocketBadStatusException):
        return f"handshake refused, HTTP {error.status_code}"
    if isinstance(error, websocket.WebSocketTimeoutException | TimeoutError | socket.timeout):
        return "no answer in time"
    if isinstance(error, ConnectionEnded):
        return str(error)[:150]
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, websocket.WebSocketAddressException | socket.gaierror):
        return "the host name is not known"
    if isinstance(error, websocket.WebSocketConnectionClosedException | ConnectionError):
        return "connection lost"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"[:150]
    return f"{type(error).__name__}: {error}".splitlines()[0][:150]
