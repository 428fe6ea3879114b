# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request and its answer, free of any HTTP library: what a vendor part of the simulator receives and returns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

JSON_TYPE = "application/json; charset=utf-8"


NOT_FOUND = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\r\n'
    '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>404 - File or directory not found.</title></head>\r\n'
    "<body><h1>Server Error</h1><h2>404 - File or directory not found.</h2>\r\n"
    "<h3>The resource you are looking for might have been removed, had its name changed, or is temporarily unavailable.</h3></body></html>\r\n"
)


def canonical(raw_path: str) -> str:
    """The form that requests are routed by: percent-decoded, lower case, no trailing slash (VPS sends ``certificates%2f%7b…``, clients mix casing)."""
    return unquote(raw_path).lower().rstrip("/") or "/"


@dataclass(slots=True)
class Answer:
    """What a vendor answers; ``reason`` is None for the standard phrase of the status."""

    status: int = 200
    body: bytes = b""
    reason: str | None = None
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)

    @classmethod
    def json(cls, data: Any, status: int = 200, reason: str | None = None) -> Answer:
        return cls(status, json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(), reason)

    @classmethod
    def text(cls, text: str, status: int = 200, content_type: str = "text/plain; charset=utf-8", reason: str | None = None) -> Answer:
        return cls(status, text.encode(), reason, content_type)


def not_found() -> Answer:
    """What IIS answers for an address that it does not know."""
    return Answer.text(NOT_FOUND, 404, "text/html; charset=utf-8")


class Refusal(Exception):
    """Raised by a handler to answer at once."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class BadBody(Exception):
    """The request body is not what the endpoint reads; each vendor turns this into its own 400."""


@dataclass(slots=True)
class Call:
    """One request. ``target``, ``mutates`` and ``effect`` are filled in on the way, for the journal.

    A batch has ``targets`` and ``effects`` (by target); ``only`` is how many of them a fault lets be processed (0: all).
    ``lenient`` reads the first JSON value of the body and ignores what follows. A vendor with a CDN in front says in ``edge_headers`` and ``edge_page``
    what that one adds to answers that faults put in the place of the vendor's own.
    """

    method: str
    path: str
    raw_path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes
    client_cn: str = ""
    user: str = ""
    args: dict[str, str] = field(default_factory=dict)
    target: str = ""
    mutates: bool = False
    effect: str = ""
    targets: list[str] = field(default_factory=list)
    effects: dict[str, str] = field(default_factory=dict)
    only: int = 0
    lenient: bool = False
    base_url: str = ""
    edge_headers: dict[str, str] = field(default_factory=dict)
    edge_page: str = ""
    _fields: dict[str, Any] | None = None

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.raw_query, keep_blank_values=True)

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON object of the body, whatever its content type; a form is taken where the content type says so (the device flow sends one)."""
        if self._fields is None:
            self._fields = self._parse()
        return self._fields

    def _parse(self) -> dict[str, Any]:
        if "form-urlencoded" in self.headers.get("Content-Type", "") and not self.body.startswith((b"{", b"[")):
            return dict(parse_qsl(self.body.decode("utf-8", "replace")))
        try:
            if self.lenient and self.body.strip():
                data, dummy = json.JSONDecoder().raw_decode(self.body.decode("utf-8-sig").lstrip())
            else:
                data = json.loads(self.body) if self.body.strip() else {}
        except (ValueError, RecursionError) as error:
            raise BadBody(f"The request body is not valid JSON: {error}") from error
        if not isinstance(data, dict):
            raise BadBody("The request body is not a JSON object.")
        return data
