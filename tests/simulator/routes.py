# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A routing table over canonical paths, shared by the vendors' parts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .exchange import Answer, Call

State = TypeVar("State")
_GROUP = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")


@dataclass(frozen=True)
class Route(Generic[State]):
    """One endpoint. ``scope`` is the vendor's own word for the right it needs; ``mutates`` says whether it may change a business object."""

    handler: Callable[[State, Call], Answer]
    scope: str | None
    mutates: bool
    target: str | None


class Routes(Generic[State]):
    """Exact paths first, then patterns in the order of their registration."""

    def __init__(self) -> None:
        self._exact: dict[str, dict[str, Route[State]]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Route[State]]]] = []

    def add(
        self, methods: str, path: str, *, scope: str | None = None, mutates: bool = False, target: str | None = None
    ) -> Callable[[Callable[[State, Call], Answer]], Callable[[State, Call], Answer]]:
        """Register a handler for the methods (space separated) of a path; ``(?P<name>…)`` in the path makes it a pattern.

        ``target`` names the body field or the path group that holds the object concerned.
        """

        def register(handler: Callable[[State, Call], Answer]) -> Callable[[State, Call], Answer]:
            route = Route(handler, scope, mutates, target)
            if "(?P<" in path:
                table: dict[str, Route[State]] = {}
                self._patterns.append((re.compile(path, re.IGNORECASE), table))
            else:
                table = self._exact.setdefault(path, {})
            table.update({method: route for method in methods.split()})
            return handler

        return register

    def find(self, method: str, path: str) -> tuple[Route[State] | None, dict[str, str], bool]:
        """The route, the path's groups, and whether the path exists at all (for 405 against 404)."""
        known = path in self._exact
        if known and method in self._exact[path]:
            return self._exact[path][method], {}, True
        for pattern, table in self._patterns:
            match = pattern.fullmatch(path)
            if match:
                known = True
                if method in table:
                    return table[method], match.groupdict(), True
        return None, {}, known

    def listing(self) -> list[tuple[str, str]]:
        """Method and path of every endpoint, with the groups of the path in braces."""
        tables = [*self._exact.items(), *((pattern.pattern, table) for pattern, table in self._patterns)]
        return sorted((method, _GROUP.sub(r"{\1}", path)) for path, table in tables for method in table)

    def names(self) -> set[str]:
        """What the handlers are called."""
        tables = [*self._exact.values(), *(table for dummy, table in self._patterns)]
        return {route.handler.__name__ for table in tables for route in table.values()}

    def include(self, other: Routes[Any]) -> None:
        for path, table in other._exact.items():
            self._exact.setdefault(path, {}).update(table)
        self._patterns += other._patterns
