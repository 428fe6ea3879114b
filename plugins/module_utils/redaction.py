# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps secrets out of messages and makes vendor text safe to print."""

from __future__ import annotations

import html
import json
import re
import typing as t
import urllib.parse

EXCERPT_LENGTH = 300

_SCRIPT_OR_STYLE = re.compile(r"<(script|style)\b.*?(</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]{0,2000}>")
# Control characters (C0, C1, DEL), the invisible ones that hide or reorder text, and halves of surrogate pairs, which cannot be encoded:
# none of them belongs on a terminal or in a log.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]+"
)


class Secrets:
    """The secrets of one task: given ones and those derived from them (tokens, Basic values).

    :param register: called once for each new way to write a secret, so that Ansible masks it as well.
    """

    def __init__(self, register: t.Callable[[str], None] | None = None) -> None:
        self._register = register
        self._forms: set[str] = set()

    def add(self, value: str | None) -> str | None:
        """Remember ``value`` and hand it back, so that a secret can be registered where it is made."""
        if value and value not in self._forms:
            new = {form for form in _forms(value) if form} - self._forms
            self._forms |= new
            if self._register is not None:
                for form in new:
                    self._register(form)
        return value

    def redact(self, text: str) -> str:
        """``text`` with every known secret replaced; the longest first, so that no tail is left over."""
        for secret in sorted(self._forms, key=len, reverse=True):
            text = text.replace(secret, "********")
        return text


def _forms(secret: str) -> t.Iterator[str]:
    """The ways in which a server, a proxy or a library may write a secret that it was given."""
    yield secret
    yield " ".join(secret.split())
    yield html.escape(secret)
    for ascii_only in (True, False):
        yield json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
    for safe in ("", "/"):
        yield urllib.parse.quote(secret, safe=safe, errors="replace")
        yield urllib.parse.quote_plus(secret, safe=safe, errors="replace")


def printable(text: str, length: int = EXCERPT_LENGTH) -> str:
    """``text`` in one line: without control characters, white space folded, at most ``length`` characters."""
    folded = " ".join(_UNPRINTABLE.sub(" ", text[: length * 20]).split())
    return folded if len(folded) <= length else folded[: length - 3] + "..."


def excerpt(body: bytes, secrets: Secrets, length: int = EXCERPT_LENGTH) -> str:
    """The readable part of a body that was not what was expected (an HTML page, a cut answer), redacted and short."""
    text = body[: length * 40].decode("utf-8", "replace")
    # Redacted first: what looks like a tag may be a part of a secret.
    return printable(_TAG.sub(" ", _SCRIPT_OR_STYLE.sub(" ", secrets.redact(text))), length)
