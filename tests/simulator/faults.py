# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: what networks, proxies and servers do to a client at the worst moment."""

from __future__ import annotations

import asyncio
import itertools
import re
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from multidict import CIMultiDict

from .exchange import Answer, Call

ACTIONS = (
    "drop_before", "drop_after", "delay", "status", "truncate", "empty", "html", "gzip_bomb", "huge", "redirect", "slow_body",
)
_ALWAYS_PROCESSED = ("drop_after", "delay", "truncate", "slow_body")
_BLOCK = 1 << 20
_ANCHOR_HTML = "<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1><p>The proxy could not complete the request.</p></body></html>"


@dataclass(slots=True)
class Fault:
    """One fault. It strikes at the ``nth`` matching request since it was set, ``times`` times in a row (0: for ever).

    With ``only`` the first so many targets of a batch are processed, if any are: the server dies half-way.
    """

    action: str
    method: str = ""
    path: str = ""
    target: str = ""
    nth: int = 1
    times: int = 1
    after: bool = False
    only: int = 0
    status: int = 0
    reason: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    content_type: str = ""
    seconds: float = 1.0
    size: int = 1 << 30
    location: str = "https://elsewhere.invalid/"
    id: int = 0
    seen: int = 0

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"unknown fault action {self.action!r}; known: {', '.join(ACTIONS)}")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"match.path is not a regular expression: {error}") from error

    @property
    def processes(self) -> bool:
        """Whether the vendor handles the request although the client does not get the plain answer."""
        return self.after or self.action in _ALWAYS_PROCESSED

    def matches(self, call: Call) -> bool:
        if self.method and self.method.upper() != call.method:
            return False
        if self.path and not re.search(self.path, call.path, re.IGNORECASE):
            return False
        return not self.target or self._concerns(call)

    def _concerns(self, call: Call) -> bool:
        """Ids of a batch are compared as a whole, and numbers anywhere else: 17 is not in 175."""
        if call.targets:
            return self.target in call.targets
        if self.target.isdigit():
            return re.search(rf"(?<!\d){self.target}(?!\d)", _haystack(call)) is not None
        return self.target.lower() in _haystack(call)

    def strikes(self) -> bool:
        """Count a matching request; True when it is one of those that the fault is for."""
        self.seen += 1
        return self.seen >= self.nth and (self.times == 0 or self.seen < self.nth + self.times)


def _haystack(call: Call) -> str:
    """Everything that may name the target, with JSON's doubled backslashes also undone."""
    body = call.body.decode("utf-8", "replace")
    return "\n".join((call.target, body, body.replace("\\\\", "\\"), unquote(call.raw_path), unquote(call.raw_query))).lower()


class Faults:
    """The faults that are set, in order; the first that strikes is applied."""

    def __init__(self) -> None:
        self.active: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, action: str, *, match: dict[str, Any] | None = None, **options: Any) -> Fault:
        """``faults.add("drop_after", match={"path": "reset$"}, nth=2)``; the options are the fields of ``Fault``."""
        fault = Fault(action, **(match or {}), **options)
        fault.id = next(self._ids)
        self.active.append(fault)
        return fault

    def clear(self) -> None:
        self.active.clear()

    def take(self, call: Call) -> Fault | None:
        striking = [fault for fault in self.active if fault.matches(call) and fault.strikes()]
        return striking[0] if striking else None

    def dump(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self.active]


def abort(request: web.BaseRequest) -> web.Response:
    """Reset the TCP connection; the returned answer goes nowhere."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=500)


def respond(answer: Answer) -> web.Response:
    headers = CIMultiDict(answer.headers)
    headers.extend(("Set-Cookie", cookie) for cookie in answer.cookies)
    if answer.body or answer.status == 200:
        headers["Content-Type"] = answer.content_type
    return web.Response(status=answer.status, reason=answer.reason, headers=headers, body=answer.body)


async def apply(fault: Fault, request: web.BaseRequest, call: Call, process: Callable[[], Answer]) -> tuple[int, web.StreamResponse]:
    """Answer the request as the fault wants it; returns the status that the client got to see (0: none) and the response."""
    if fault.action == "delay" and not fault.after:
        await asyncio.sleep(fault.seconds)
    answer = process() if fault.processes else Answer()
    if fault.action == "delay" and fault.after:
        await asyncio.sleep(fault.seconds)
    if fault.action in ("drop_before", "drop_after"):
        return 0, abort(request)
    if fault.action == "delay":
        return answer.status, respond(answer)
    if fault.action == "truncate":
        return answer.status, await _stream(request, answer.status, answer.content_type, _halves(answer.body), len(answer.body) + 1024)
    if fault.action == "slow_body":
        return answer.status, await _stream(request, answer.status, answer.content_type, _drip(answer.body, fault.seconds), len(answer.body))
    if fault.action == "gzip_bomb":
        return 200, await _stream(request, 200, answer.content_type, _gzip(fault.size), None, {"Content-Encoding": "gzip"})
    if fault.action == "huge":
        return 200, await _stream(request, 200, answer.content_type, _zeros(fault.size), fault.size)
    replaced = _instead(fault, answer, call.edge_page or _ANCHOR_HTML)
    replaced.headers = {**call.edge_headers, **replaced.headers}
    plain = respond(replaced)
    return plain.status, plain


def _instead(fault: Fault, processed: Answer, page: str) -> Answer:
    """The answer for the actions that simply replace it."""
    if fault.action == "empty":
        return Answer(fault.status or 200, b"", fault.reason, headers=fault.headers)
    if fault.action == "html":
        status = fault.status or 502
        title = f"{status} {fault.reason or 'Bad Gateway'}"
        return Answer.text(fault.body or page.format(title=title), status, "text/html; charset=utf-8", fault.reason)
    if fault.action == "redirect":
        return Answer(fault.status or 302, b"", fault.reason, headers={**fault.headers, "Location": fault.location})
    return Answer(
        fault.status or 500, fault.body.encode(), fault.reason, fault.content_type or processed.content_type, fault.headers
    )


async def _stream(
    request: web.BaseRequest, status: int, content_type: str, chunks: AsyncIterator[bytes], length: int | None, headers: dict[str, str] | None = None
) -> web.StreamResponse:
    """Send chunks until they or the client's patience end, then close the connection."""
    response = web.StreamResponse(status=status, headers={"Content-Type": content_type, **(headers or {})})
    response.content_length = length
    response.force_close()
    try:
        await response.prepare(request)
        async for chunk in chunks:
            await response.write(chunk)
            # A write that does not wait would never let the loop notice that the client has gone.
            await asyncio.sleep(0)
            if request.transport is None:
                return response
        await response.write_eof()
    except ConnectionError:
        pass  # the client has hung up, which is what these faults are for
    return response


async def _halves(body: bytes) -> AsyncIterator[bytes]:
    yield body[: (len(body) + 1) // 2]


async def _drip(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    """Byte by byte, ``seconds`` apart."""
    for index in range(len(body)):
        yield body[index:index + 1]
        await asyncio.sleep(seconds)


async def _zeros(size: int) -> AsyncIterator[bytes]:
    block = b"0" * _BLOCK
    for start in range(0, size, _BLOCK):
        yield block[: size - start]


async def _gzip(size: int) -> AsyncIterator[bytes]:
    """A gzip stream that inflates to ``size`` bytes (rounded up to 1 MiB): one compressed block, repeated."""
    block = b"0" * _BLOCK
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflate.compress(block) + deflate.flush(zlib.Z_FULL_FLUSH)
    blocks = -(-size // _BLOCK)
    yield b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    checksum = 0
    for dummy in range(blocks):
        checksum = zlib.crc32(block, checksum)
        yield packed
    yield deflate.flush() + struct.pack("<II", checksum, blocks * _BLOCK & 0xFFFFFFFF)
