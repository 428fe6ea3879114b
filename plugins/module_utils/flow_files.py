# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What flow_files does, for the module and for its action plugin."""

from __future__ import annotations

import base64
import errno
import json
import os
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.private_files import Access, make_folders, read_file, write_file

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {
    "read": {"type": "list", "elements": "str", "default": []},
    "ledger": {"type": "str"},
    "write": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "path": {"type": "path", "required": True},
            "content": {"type": "raw", "required": True},
            "mode": {"type": "str", "choices": ["0600", "0640", "0644"], "default": "0600"},
        },
    },
    "create_folders": {"type": "bool", "default": False},
}

MAX_SIZE = 64 << 20  # bytes; a list of a million certificates


def handle(params: t.Mapping[str, t.Any], *, check_mode: bool, folder: str = "") -> dict[str, t.Any]:
    """Read what is to be read, then write what is to be written, and give the result of the task.

    :param folder: where relative paths start.
    :raises InputError: a file cannot be read or written.
    """
    files = [_read(folder, path) for path in params["read"]]
    unread = [f"{file['path']}: {file['msg']}" for file in files if file["msg"]]
    if unread:
        return {"changed": False, "files": files, "failed": True, "msg": f"cannot read {'; '.join(unread)}"}
    ledger = _ledger(folder, params["ledger"]) if params["ledger"] else None
    result: dict[str, t.Any] = {"changed": False, "files": files, "ledger": ledger or {}, "ledger_found": ledger is not None, "written": []}
    for file in params["write"]:
        if _write(folder, file, make_folder=params["create_folders"], check_mode=check_mode):
            result["written"].append(file["path"])
    return {**result, "changed": bool(result["written"])}


def _place(folder: str, path: str) -> str:
    return os.path.join(folder, os.path.expanduser(path))


def _read(folder: str, path: str) -> dict[str, t.Any]:
    """With the path as it was given, so that a playbook finds it again."""
    try:
        found = read_file(_place(folder, path), MAX_SIZE)
    except OSError as exc:
        return {"path": path, "content": None, "msg": exc.strerror or str(exc)}
    if found is None:
        return {"path": path, "content": None, "msg": "there is no such file"}
    return {"path": path, "content": base64.b64encode(found[0]).decode(), "msg": ""}


def _ledger(folder: str, path: str) -> dict[str, t.Any] | None:
    try:
        found = read_file(_place(folder, path), MAX_SIZE)
        if found is None:
            return None
        ledger = json.loads(found[0])
    except OSError as exc:
        raise InputError("ledger", f"cannot read {path} ({exc.strerror or exc})") from None
    except (ValueError, RecursionError):
        ledger = None
    if not isinstance(ledger, dict):
        raise InputError("ledger", f"{path} is damaged, it holds no JSON object. Put it back from a backup: nothing else knows what an earlier run has done")
    return ledger


def _text(content: t.Any) -> str:
    return content if isinstance(content, str) else json.dumps(content, indent=4, sort_keys=True) + "\n"


def _write(folder: str, file: t.Mapping[str, t.Any], *, make_folder: bool, check_mode: bool) -> bool:
    """Whether there was something to write."""
    path, data, mode = _place(folder, file["path"]), _text(file["content"]).encode(), int(file["mode"], 8)
    try:
        found = read_file(path, MAX_SIZE)
        if found and found[0] == data and found[1].mode == mode:
            return False
        if check_mode:
            _check_folder(os.path.dirname(os.path.abspath(path)), make_folder=make_folder)
        else:
            if make_folder:
                make_folders(os.path.dirname(os.path.abspath(path)))
            # Only root can give the new file to the owner of the old one.
            access = Access(mode).over(found[1]) if found and os.geteuid() == 0 else Access(mode)
            write_file(path, data, access, replace=True)
    except FileNotFoundError:
        raise InputError("write", f"cannot write {file['path']} (there is no such folder)") from None
    except OSError as exc:
        raise InputError("write", f"cannot write {file['path']} ({exc.strerror or exc})") from None
    return True


def _check_folder(folder: str, *, make_folder: bool) -> None:
    """Whether a file could be made there.

    :raises OSError: it could not.
    """
    while make_folder and not os.path.exists(folder):
        folder = os.path.dirname(folder)
    wrong = errno.ENOENT if not os.path.exists(folder) else errno.ENOTDIR if not os.path.isdir(folder) else errno.EACCES
    if wrong != errno.EACCES or not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(wrong, os.strerror(wrong))
