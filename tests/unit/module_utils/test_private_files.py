# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are there as a whole or not at all. What becomes of them under kills and full disks is tested with certificate_request."""

from __future__ import annotations

import os
import stat

import pytest

from ansible_collections.certops.remediation.plugins.module_utils.private_files import Access, make_folders, move_to_free_name, read_file, write_file


def test_a_file_is_written_for_its_owner_alone_and_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "link"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, name=name, real=real: (calls.append(name), real(*args))[1])
    write_file(str(tmp_path / "a"), b"secret", replace=False)
    assert calls == ["fsync", "link", "fsync"], "the file, its name, the folder"
    content, access = read_file(str(tmp_path / "a"))
    assert content == b"secret" and access.mode == 0o600 and os.listdir(tmp_path) == ["a"]


def test_a_file_is_replaced_only_where_that_is_wanted(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError):
        write_file(str(path), b"new", replace=False)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a"]
    write_file(str(path), b"new", Access(mode=0o640), replace=True)
    assert path.read_bytes() == b"new" and stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_rehearsal_leaves_nothing_behind(tmp_path):
    write_file(str(tmp_path / "a"), b"x", replace=True, rehearsal=True)
    assert not os.listdir(tmp_path)
    with pytest.raises(OSError):
        write_file(str(tmp_path / "no" / "a"), b"x", replace=True, rehearsal=True)


def test_room_is_made_when_the_new_file_is_complete(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def make_room():
        waiting = [name for name in os.listdir(tmp_path) if name != "a"]
        assert [(tmp_path / name).read_bytes() for name in waiting] == [b"new"]
        path.rename(tmp_path / "kept")

    write_file(str(path), b"new", replace=False, make_room=make_room)
    assert path.read_bytes() == b"new" and (tmp_path / "kept").read_bytes() == b"old"


def test_a_rename_never_goes_over_another_file(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    with pytest.raises(FileExistsError):
        move_to_free_name(str(tmp_path / "a"), str(tmp_path / "b"))
    move_to_free_name(str(tmp_path / "a"), str(tmp_path / "c"))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"b": "b", "c": "a"}


def test_no_file_is_no_error_but_what_is_no_file_is(tmp_path):
    assert read_file(str(tmp_path / "a")) is None
    with pytest.raises(OSError, match="not a regular file"):
        read_file(str(tmp_path))


def test_missing_folders_are_made_for_their_owner_alone(tmp_path):
    for dummy in range(2):
        make_folders(str(tmp_path / "a" / "b"))
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b")] == [0o700, 0o700]


def test_access_is_laid_over_what_is_there():
    there = Access(0o600, 1, 2)
    assert Access().over(there) == there and Access(mode=0, gid=0).over(there) == Access(0, 1, 0)
