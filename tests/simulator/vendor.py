# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server needs from each vendor's part."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from .exchange import Answer, Call


class Vendor(Protocol):
    """A vendor's state and its API. All methods run under the simulator's lock, none of them waits."""

    name: str
    prefixes: tuple[str, ...]

    def identify(self, call: Call) -> None:
        """Fill in the call's target and whether it mutates, without processing it."""

    def handle(self, call: Call) -> Answer:
        """Process the call and answer it."""

    def reset(self, data: dict[str, Any]) -> None:
        """Forget everything and take up the vendor's section of a scenario."""

    def ready(self, url: str, directory: Path) -> dict[str, Any]:
        """The vendor's section of the ready file."""

    def control(self, action: str, data: dict[str, Any]) -> dict[str, Any]:
        """A vendor-specific control call."""

    def state(self) -> dict[str, Any]:
        """A readable summary for the control API."""

    def configure(self, data: dict[str, Any]) -> dict[str, Any]:
        """Change switches (none when ``data`` is empty) and return all of them."""

    def dump(self) -> dict[str, Any]:
        """Everything that a restart needs."""

    def restore(self, data: dict[str, Any]) -> None:
        """The reverse of ``dump``."""
