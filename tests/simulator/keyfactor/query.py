# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command's query language: ``Field -op "value"``, joined with AND and OR, with parentheses. No complete specification is published."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Generic, TypeVar

from ..clock import utc

Item = TypeVar("Item")
Test = Callable[[Any], bool]

_TOKEN = re.compile(r'\s*(?:"(?P<quoted>[^"]*)"|(?P<parenthesis>[()])|(?P<word>[^\s()"]+))')
_TODAY = re.compile(r"%TODAY(?:(?P<days>[+-]\d+))?%", re.IGNORECASE)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "-eq": operator.eq, "-ne": operator.ne, "-lt": operator.lt, "-le": operator.le, "-gt": operator.gt, "-ge": operator.ge,
}
_TEXT: dict[str, Callable[[str, str], bool]] = {
    "-eq": operator.eq, "-contains": operator.contains, "-startswith": str.startswith, "-endswith": str.endswith,
}
_NEGATED = {"-ne": "-eq", "-notcontains": "-contains"}


class QueryError(ValueError):
    """The query cannot be understood; the text goes into the answer."""


@dataclass(frozen=True)
class Field(Generic[Item]):
    """A name to query by. ``kind`` is text, texts (any of several), number, date or flag; ``index`` finds the ids with a value at once."""

    name: str
    kind: str
    value: Callable[[Item], Any]
    index: Callable[[str], set[int]] | None = None


@dataclass(frozen=True)
class Query:
    """``test`` says whether an item matches; ``candidates`` are the only ids that can, or None when an index does not help."""

    test: Test
    candidates: set[int] | None = None


def by_name(fields: list[Field[Item]]) -> dict[str, Field[Item]]:
    return {field.name.lower(): field for field in fields}


def compile_query(text: str, fields: dict[str, Field[Any]], now: float) -> Query:
    """:raises QueryError: an unknown field or operator, a value of the wrong kind, or no sense at all."""
    if not text.strip():
        return Query(lambda item: True)
    parser = _Parser(text, fields, now)
    try:
        query = parser.alternatives()
    except RecursionError:
        raise QueryError("Invalid query: too deep.") from None
    if parser.tokens:
        raise QueryError(f"Invalid query: unexpected {parser.tokens[-1][1]}.")
    return query


class _Parser:
    """Recursive descent; AND binds closer than OR. ``tokens`` is a stack with the next one on top."""

    def __init__(self, text: str, fields: dict[str, Field[Any]], now: float) -> None:
        self._fields, self._now = fields, now
        self.tokens: list[tuple[str, str]] = []
        text, position = text.strip(), 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise QueryError("Invalid query: a quote is not closed.")
            kind = match.lastgroup or ""
            self.tokens.append((kind, match[kind]))
            position = match.end()
        self.tokens.reverse()

    def _next_is(self, text: str) -> bool:
        """Take a keyword or a parenthesis if it is the next token."""
        if self.tokens and self.tokens[-1][0] != "quoted" and self.tokens[-1][1].upper() == text:
            self.tokens.pop()
            return True
        return False

    def _take(self, kinds: tuple[str, ...], wanted: str) -> str:
        if not self.tokens or self.tokens[-1][0] not in kinds:
            raise QueryError(f"Invalid query: {wanted} is missing.")
        return self.tokens.pop()[1]

    def alternatives(self) -> Query:
        parts = [self._all_of()]
        while self._next_is("OR"):
            parts.append(self._all_of())
        if len(parts) == 1:
            return parts[0]
        tests = [part.test for part in parts]
        narrow = [part.candidates for part in parts if part.candidates is not None]
        return Query(lambda item: any(test(item) for test in tests), set().union(*narrow) if len(narrow) == len(parts) else None)

    def _all_of(self) -> Query:
        parts = [self._single()]
        while self._next_is("AND"):
            parts.append(self._single())
        if len(parts) == 1:
            return parts[0]
        tests = [part.test for part in parts]
        narrow = [part.candidates for part in parts if part.candidates is not None]
        return Query(lambda item: all(test(item) for test in tests), min(narrow, key=len) if narrow else None)

    def _single(self) -> Query:
        if self._next_is("("):
            inner = self.alternatives()
            if not self._next_is(")"):
                raise QueryError("Invalid query: a parenthesis is not closed.")
            return inner
        name = self._take(("word",), "a field")
        field = self._fields.get(name.lower())
        if field is None:
            raise QueryError(f"Invalid query field: {name}.")
        operation = self._take(("word",), f"the operator after {name}").lower()
        bare = bool(self.tokens) and self.tokens[-1][0] == "word"
        value = self._take(("quoted", "word"), f"the value of {name}")
        if operation not in _COMPARE and operation not in _TEXT and operation not in _NEGATED:
            raise QueryError(f"Invalid query operator: {operation}.")
        if bare and value.upper() == "NULL" and operation in ("-eq", "-ne"):
            return Query(_null(field.value, operation == "-eq"))
        if field.kind in ("text", "texts"):
            return self._text(field, operation, value)
        return Query(self._comparison(field, operation, value), field.index(value) if field.index and operation == "-eq" else None)

    def _text(self, field: Field[Any], operation: str, value: str) -> Query:
        """Upper and lower case are the same."""
        compare = _TEXT.get(_NEGATED.get(operation, operation))
        wanted, read = value.lower(), field.value
        if compare is None:
            ordered = _COMPARE[operation]
            return Query(lambda item: read(item) is not None and ordered(str(read(item)).lower(), wanted))

        def test(item: Any) -> bool:
            texts = read(item) if field.kind == "texts" else [read(item) or ""]
            return any(compare(text.lower(), wanted) for text in texts)

        if operation in _NEGATED:
            return Query(lambda item: not test(item))
        return Query(test, field.index(value) if field.index and operation == "-eq" else None)

    def _comparison(self, field: Field[Any], operation: str, value: str) -> Test:
        compare = _COMPARE.get(operation)
        if compare is None:
            raise QueryError(f"Invalid query operator: {operation} for {field.name}.")
        wanted = self._converted(field, value)
        read = field.value
        if field.kind == "date" and isinstance(wanted, int) and operation in ("-eq", "-ne"):
            # A date without a time means that whole day.
            return lambda item: read(item) is not None and compare(read(item) // 86400, wanted // 86400)
        return lambda item: read(item) is not None and compare(read(item), wanted)

    def _converted(self, field: Field[Any], value: str) -> Any:
        try:
            if field.kind == "number":
                return int(value)
            if field.kind == "flag":
                return {"true": True, "1": True, "false": False, "0": False}[value.lower()]
            return self._date(value)
        except (KeyError, ValueError):
            raise QueryError(f"Invalid {field.name} value: {value}.") from None

    def _date(self, value: str) -> float:
        """Seconds; an int for a whole day."""
        match = _TODAY.fullmatch(value)
        if match:
            midnight = utc(self._now).replace(hour=0, minute=0, second=0, microsecond=0)
            return int((midnight + timedelta(days=int(match["days"] or 0))).timestamp())
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
        return int(seconds) if len(value) == 10 else seconds


def _null(read: Callable[[Any], Any], wanted: bool) -> Test:
    return lambda item: (read(item) in (None, "", [])) is wanted
