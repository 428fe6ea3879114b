# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: every request that reached the simulator, in order, redacted."""

from __future__ import annotations

from typing import Any

from .exchange import BadBody, Call

REDACTED = "***"
_SECRET_WORDS = ("password", "token", "secret", "jwt", "apikey", "api_key", "privatekey", "device_code", "passphrase")


def redact(value: Any) -> Any:
    """A copy without the values of secret-looking names."""
    if isinstance(value, dict):
        return {name: REDACTED if _secret(name, item) else redact(item) for name, item in value.items()}
    if isinstance(value, list):
        return [redact(item) for item in value]
    return value


def _secret(name: str, value: Any) -> bool:
    folded = name.lower()
    return isinstance(value, str) and value != "" and any(word in folded for word in _SECRET_WORDS)


def _body(call: Call) -> Any:
    if not call.body:
        return None
    try:
        return redact(call.fields)
    except BadBody:
        return f"<{len(call.body)} bytes that are not a JSON object>"


def _query(call: Call) -> dict[str, Any]:
    """A parameter that is repeated becomes a list."""
    collected: dict[str, Any] = {}
    for name, value in call.query:
        earlier = collected.get(name, [])
        collected[name] = [*(earlier if isinstance(earlier, list) else [earlier]), value] if name in collected else value
    return dict(redact(collected))


class Journal:
    """A list of entries; ``count`` goes on when the list is emptied."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.count = 0
        self._unfinished: set[int] = set()

    def open(self, call: Call, vendor: str, time: float, fault: str | None) -> dict[str, Any]:
        """Enter a request before it is processed."""
        self.count += 1
        self._unfinished.add(self.count)
        entry = {
            "n": self.count,
            "time": round(time, 3),
            "vendor": vendor,
            "method": call.method,
            "path": call.path,
            "query": _query(call),
            "target": call.target,
            "body": _body(call),
            "status": 0,
            "mutates": call.mutates,
            "effect": "",
            "effects": {},
            "fault": fault,
        }
        self.entries.append(entry)
        return entry

    def close(self, entry: dict[str, Any], status: int) -> None:
        """The request has been answered (status 0: it was not)."""
        entry["status"] = status
        self._unfinished.discard(entry["n"])

    def note(self, vendor: str, time: float, target: str, effect: str) -> None:
        """Enter what happened without a request, such as an approval that came: an entry without a method."""
        entry = self.open(Call("", "", "", "", {}, b"", target=target), vendor, time, None)
        entry["effect"] = effect
        self.close(entry, 0)

    def finished(self, after: int) -> list[dict[str, Any]]:
        """The entries behind number ``after`` up to the first that is not finished."""
        end = min(self._unfinished, default=self.count + 1)
        return [entry for entry in self.entries if after < entry["n"] < end]

    def effects(self, target: str) -> list[str]:
        """What really changed on one target, in order; of a batch, what changed on it alone."""
        found = []
        for entry in self.entries:
            if entry["effects"]:
                found.append(entry["effects"].get(target, ""))
            elif entry["target"].lower() == target.lower():
                found.append(entry["effect"])
        return [effect for effect in found if effect]

    def clear(self) -> None:
        self.entries.clear()

    def load(self, entries: list[dict[str, Any]]) -> None:
        self.entries[:] = entries
        self.count = entries[-1]["n"] if entries else 0
