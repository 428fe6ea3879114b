# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What journal_entry does, for the module and for its action plugin."""

from __future__ import annotations

import re
import typing as t
import uuid

from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.journal import Journal

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "path": {"type": "path", "required": True},
    "entries": {"type": "list", "elements": "dict", "required": True},
    "run": {"type": "str"},
}

OWN_NAMES = ("prev", "time", "run")
OWN_EVENTS = ("intent", "outcome")


def append(params: t.Mapping[str, t.Any], *, check_mode: bool) -> dict[str, t.Any]:
    """Append ``entries`` to the journal at ``path``, and give the result of the task.

    :raises InputError: an event that would be taken for something else, or a file that cannot be opened.
    :raises JournalError: the disk is full or failing.
    """
    entries = params["entries"]
    _check(entries)
    run = params["run"] or str(uuid.uuid4())
    if check_mode:
        return {"changed": bool(entries), "run": run, "written": 0}
    journal = Journal(params["path"], run)
    try:
        journal.write(entries)
        return {"changed": bool(entries), "run": run, "written": len(entries), "head": journal.head()}
    finally:
        journal.close()


def _check(entries: t.Sequence[t.Mapping[str, t.Any]]) -> None:
    for index, entry in enumerate(entries):
        event = entry.get("event")
        if not isinstance(event, str) or not re.fullmatch("[a-z][a-z0-9_]*", event):
            raise InputError(f"entries[{index}]", f"event must be a word in lower case, such as proof, and is {event!r}")
        if event in OWN_EVENTS:
            raise InputError(f"entries[{index}]", f"the event {event} is written by the modules that act on targets; use another word")
        taken = [name for name in OWN_NAMES if name in entry]
        if taken:
            raise InputError(f"entries[{index}]", f"{', '.join(taken)} is set by the module; use another name")
