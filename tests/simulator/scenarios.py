# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario files: YAML data that says what each vendor holds at the start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

DIRECTORY = Path(__file__).parent / "scenarios"


def names() -> list[str]:
    return sorted(path.stem for path in DIRECTORY.glob("*.yml"))


def load(scenario: str | Path | dict[str, Any], scale: float = 1.0) -> dict[str, Any]:
    """A scenario by name, by the path of a file, or given as data; with ``scale`` times as many objects in its bulk entries."""
    if not 0 < scale < float("inf"):
        raise ValueError("scale must be above 0")
    data = _read(scenario)
    return dict(_scaled(data, scale)) if scale != 1 else data


def _scaled(value: Any, scale: float) -> Any:
    """Numbers that were apart stay apart, because the ends of all ranges are moved alike. What is one of a kind stays so."""
    if isinstance(value, list):
        return [_scaled(item, scale) for item in value if not isinstance(item, dict) or _count(item, scale) != 0]
    if not isinstance(value, dict):
        return value
    scaled = {name: _scaled(item, scale) for name, item in value.items()}
    if "count" in value:
        scaled.update(count=_count(value, scale), start=round((value.get("start", 1) - 1) * scale) + 1)
    return scaled


def _count(entry: dict[str, Any], scale: float) -> int | None:
    if "count" not in entry:
        return None
    before = entry.get("start", 1) - 1
    return round((before + entry["count"]) * scale) - round(before * scale)


def _read(scenario: str | Path | dict[str, Any]) -> dict[str, Any]:
    if isinstance(scenario, dict):
        return scenario
    path = DIRECTORY / f"{scenario}.yml"
    if not path.is_file():
        path = Path(scenario)
    if not path.is_file():
        raise ValueError(f"unknown scenario {str(scenario)!r}; known: {', '.join(names())}, or the path of a file")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    if not isinstance(data, dict):
        raise ValueError(f"{path} is not a scenario: the file must hold a mapping")
    return data


def expand(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The single objects of a bulk entry.

    ``count`` objects are numbered from ``start`` (default 1); every text may hold ``{n}`` (or ``{n:04}``),
    and a list under ``each`` gives each object in turn one of its mappings to be merged in.
    """
    if "count" not in spec:
        yield spec
        return
    start = spec.get("start", 1)
    turns = spec.get("each", [{}])
    common = {name: value for name, value in spec.items() if name not in ("count", "start", "each")}
    for number in range(start, start + spec["count"]):
        yield _numbered({**common, **turns[(number - start) % len(turns)]}, number)


def _numbered(value: Any, number: int) -> Any:
    if isinstance(value, str):
        return value.format(n=number) if "{n" in value else value
    if isinstance(value, list):
        return [_numbered(item, number) for item in value]
    if isinstance(value, dict):
        return {name: _numbered(item, number) for name, item in value.items()}
    return value
