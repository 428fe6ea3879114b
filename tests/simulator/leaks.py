# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an incident is heard of: leaked keys with a certificate of each, and the list that a CA sends, as files beside the ready file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization

from .authority import Issued, write_private

_LABEL = re.compile(r"[A-Za-z0-9_-]+")


class Leaks:
    """By label: ``certificate`` and ``key`` in PEM, ``public_key_sha256`` (of the SubjectPublicKeyInfo, hexadecimal), and where the files are."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "leaks"
        self._notice: Path | None = None
        self._found: dict[str, dict[str, str]] = {}

    def clear(self) -> None:
        for item in self._found.values():
            for name in ("certificate_path", "key_path"):
                Path(item[name]).unlink(missing_ok=True)
        self._found = {}
        if self._notice is not None:
            self._notice.unlink(missing_ok=True)
            self._notice = None

    def notice(self, name: str, rows: Iterable[tuple[str, str, int]]) -> None:
        """The CA writes which certificates it is going to revoke."""
        lines = ["Common Name,Serial Number,Order ID", *(",".join(map(str, row)) for row in rows), ""]
        self._notice = write_private(self._directory.parent / Path(name).name, "\r\n".join(lines).encode())

    def add(self, label: str, issued: Issued) -> None:
        """Somebody has found this certificate and its key."""
        if not _LABEL.fullmatch(label):
            raise ValueError("the label of a leak consists of letters, digits, - and _")
        if not issued.key_pem:
            raise ValueError(f"leak {label}: the simulator does not have the key of this certificate")
        public = issued.certificate.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self._write(
            label,
            issued.certificate.public_bytes(serialization.Encoding.PEM).decode(),
            issued.key_pem,
            hashlib.sha256(public).hexdigest(),
        )

    def _write(self, label: str, certificate: str, key: str, public_key_sha256: str) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._found[label] = {
            "certificate": certificate,
            "key": key,
            "public_key_sha256": public_key_sha256,
            "certificate_path": str(write_private(self._directory / f"{label}.pem", certificate.encode())),
            "key_path": str(write_private(self._directory / f"{label}.key", key.encode())),
        }

    def dump(self) -> dict[str, dict[str, str]]:
        return self._found

    def load(self, data: dict[str, dict[str, Any]]) -> None:
        for label, item in data.items():
            self._write(label, item["certificate"], item["key"], item["public_key_sha256"])
