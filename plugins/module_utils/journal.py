# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An append-only record on disk: the intent before each write, the outcome after it."""

from __future__ import annotations

import datetime
import fcntl
import json
import os
import threading
import typing as t
import uuid

from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError, JournalError
from ansible_collections.certops.remediation.plugins.module_utils.journal_verify import GENESIS, line_hash

_BLOCK = 1 << 20  # bytes


class Journal:
    """JSON Lines, one object a line, flushed to the disk before the call returns. Safe for several threads, processes and machines that share the file.

    A line has ``prev`` (the SHA-256 of the raw line before it, see journal_verify.py), ``time`` (UTC), ``run`` and what the caller gives. Nothing in it
    is secret.

    :param run: an id for all lines of this journal; by default a new one.
    :raises InputError: the file cannot be opened for appending.
    """

    _lines: int
    _end: int
    _head: str
    _torn: bytes

    def __init__(self, path: str, run: str | None = None) -> None:
        self.run = run or str(uuid.uuid4())
        self._lock = threading.Lock()
        self._flush = threading.Lock()
        self._path = path
        self._written = 0
        self._flushed = 0
        self._forget()
        try:
            # 0600 for a new file; an existing one keeps the mode that its owner gave it.
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise InputError("journal_path", f"{path!r} cannot be opened for appending ({exc.strerror}); its folder must exist") from None

    def write(self, lines: t.Iterable[t.Mapping[str, t.Any]]) -> None:
        """Append ``lines``, and return when they are on the disk. Threads that arrive together share one flush.

        :raises JournalError: the disk is full or failing.
        """
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        # All but the hash, which is known only when it is our turn.
        texts = [json.dumps({"time": now, "run": self.run, **line})[1:] for line in lines]
        try:
            with self._lock:
                self._append(texts)
                self._written += 1
                mine = self._written
            with self._flush:
                if self._flushed < mine:
                    reached = self._written
                    os.fsync(self._file)
                    self._flushed = reached
        except OSError as exc:
            raise JournalError(f"journal_path: cannot write to {self._path!r} ({exc.strerror})") from None

    def head(self) -> dict[str, t.Any]:
        """The end of the journal as it is now: ``lines`` (number) and ``sha256`` (of the last one). With these, a cut end can be told.

        :raises JournalError: it cannot be read.
        """
        try:
            with self._lock, _Exclusive(self._file):
                self._catch_up()
        except OSError as exc:
            raise JournalError(f"journal_path: cannot read {self._path!r} ({exc.strerror})") from None
        return {"lines": self._lines + bool(self._torn), "sha256": line_hash(self._torn) if self._torn else self._head}

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _append(self, texts: t.Sequence[str]) -> None:
        with _Exclusive(self._file):
            self._catch_up()
            data = b""
            if self._torn:
                # A run was killed within a line, or the disk was full: end it, so that the next line stands alone.
                self._head, data = line_hash(self._torn), b"\n"
            head, added = self._head, []
            for text in texts:
                line = f'{{"prev": "{head}", {text}'.encode("utf-8")
                head = line_hash(line)
                added.append(line + b"\n")
            data += b"".join(added)
            lines, end = self._lines + bool(self._torn) + len(added), self._end + len(data)
            # Should a write fail half-way, the file says how far it came.
            self._forget()
            while data:
                data = data[os.write(self._file, data) :]
            self._lines, self._end, self._head = lines, end, head

    def _forget(self) -> None:
        """Begin anew with what is in the file."""
        self._lines = 0
        self._end = 0
        self._head = GENESIS
        self._torn = b""

    def _catch_up(self) -> None:
        """Read what others have appended since."""
        size = os.fstat(self._file).st_size
        if size < self._end:
            self._forget()
        while self._end < size:
            block = os.pread(self._file, _BLOCK, self._end)
            if not block:
                break
            self._end += len(block)
            *whole, self._torn = (self._torn + block).split(b"\n")
            self._lines += len(whole)
            if whole:
                self._head = line_hash(whole[-1])


class _Exclusive:
    """The file for us alone, among all that append to it. The system gives it free when a process ends, however it ends."""

    def __init__(self, file: int) -> None:
        self._file = file

    def __enter__(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *dummy: object) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)
