# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Switches of a vendor's part: a dataclass whose members can be changed by name, with their types and choices checked."""

from __future__ import annotations

import functools
import re
import typing
from dataclasses import asdict, fields
from typing import Any, Literal


class Switchboard:
    """To be inherited by a dataclass; ``Literal`` as a member's type lists what it may be."""

    __slots__ = ()
    version: str

    def at_least(self, version: str) -> bool:
        return numbers(self.version) >= numbers(version)

    def change(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Set switches by name and return all of them; a value of another type is refused. Of a mapping single members may be given."""
        known = _hints(type(self))
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"unknown switch {name!r}; known: {', '.join(sorted(known))}")
            setattr(self, name, _checked(name, value, getattr(self, name), known[name]))
        return asdict(self)  # type: ignore[call-overload, no-any-return]


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    """The type of each switch, worked out once: every reset of the simulator asks for them."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _checked(name: str, value: Any, before: Any, hint: Any) -> Any:
    kind = type(before)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
        raise ValueError(f"switch {name!r} wants a value of type {kind.__name__}, not {type(value).__name__}")
    if typing.get_origin(hint) is Literal and value not in typing.get_args(hint):
        raise ValueError(f"switch {name!r} wants one of {', '.join(map(str, typing.get_args(hint)))}")
    if typing.get_args(hint) == (str,) and sorted(value) != sorted(before):
        raise ValueError(f"switch {name!r} wants these in any order: {', '.join(before)}")
    if kind is dict:
        if not set(before).issuperset(value):
            raise ValueError(f"switch {name!r} has only these members: {', '.join(before)}")
        return {**before, **value}
    return value


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
