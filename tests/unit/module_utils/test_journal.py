# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The append-only record."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
import threading

import pytest

from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError, JournalError
from ansible_collections.certops.remediation.plugins.module_utils.journal import Journal


def lines_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def test_lines_are_appended_with_time_and_run(path):
    for run in range(2):
        journal = Journal(str(path))
        journal.write([{"event": "intent", "target": f"{run}"}, {"event": "outcome", "target": f"{run}"}])
        journal.write([])
        journal.close()
    lines = lines_of(path)
    assert [(line["event"], line["target"]) for line in lines] == [("intent", "0"), ("outcome", "0"), ("intent", "1"), ("outcome", "1")]
    assert len({line["run"] for line in lines}) == 2
    assert all(line["time"].endswith("+00:00") for line in lines)


def test_a_new_file_is_for_the_owner_only_and_an_old_one_keeps_its_mode(path):
    Journal(str(path)).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    Journal(str(path)).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def chain_of(path):
    """Whether the file is whole, by the rule as it is documented and not by the code."""
    before = "0" * 64
    for raw in path.read_bytes().split(b"\n")[:-1]:
        try:
            line = json.loads(raw)
        except ValueError:
            line = {}
        if "prev" in line and line["prev"] != before:
            return False
        before = hashlib.sha256(raw).hexdigest()
    return True


def test_each_line_carries_the_hash_of_the_one_before(path):
    for dummy in range(2):
        journal = Journal(str(path))
        journal.write([{"event": "intent"}, {"event": "outcome"}])
        journal.write([{"event": "intent"}])
        journal.close()
    assert chain_of(path) and [line["prev"] for line in lines_of(path)][0] == "0" * 64
    assert len({line["prev"] for line in lines_of(path)}) == 6


def test_the_chain_goes_on_behind_lines_of_a_version_that_made_none(path):
    path.write_text('{"event": "old"}\n', encoding="utf-8")
    journal = Journal(str(path))
    journal.write([{"event": "new"}])
    assert lines_of(path)[1]["prev"] == hashlib.sha256(b'{"event": "old"}').hexdigest()
    assert journal.head() == {"lines": 2, "sha256": hashlib.sha256(path.read_bytes().splitlines()[1]).hexdigest()}
    journal.close()


def test_the_head_of_an_empty_and_of_a_torn_journal(path):
    journal = Journal(str(path))
    assert journal.head() == {"lines": 0, "sha256": "0" * 64}
    path.write_bytes(b"one\ntorn")
    assert journal.head() == {"lines": 2, "sha256": hashlib.sha256(b"torn").hexdigest()}
    path.write_bytes(b"one\n")
    assert journal.head() == {"lines": 1, "sha256": hashlib.sha256(b"one").hexdigest()}
    journal.close()


def test_a_line_longer_than_what_is_read_at_once(path, monkeypatch):
    monkeypatch.setattr("ansible_collections.certops.remediation.plugins.module_utils.journal._BLOCK", 7)
    for count in range(3):
        journal = Journal(str(path))
        journal.write([{"filler": "x" * (20 * count)}])
        journal.close()
    assert chain_of(path) and len(lines_of(path)) == 3


WRITER = """
import sys
from ansible_collections.certops.remediation.plugins.module_utils.journal import Journal
journal = Journal(sys.argv[1], sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for count in range(int(sys.argv[3])):
    journal.write([{"event": "intent", "count": count, "filler": "x" * (count * 37 % 3000)}, {"event": "outcome", "count": count}])
"""


def writers(path, counts):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    found = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), f"run-{number}", str(count)], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for number, count in enumerate(counts)
    ]
    for process in found:
        assert process.stdout.readline() == "ready\n"
    for process in found:
        process.stdin.write("go\n")
        process.stdin.flush()
    return found


def test_two_runs_at_once_interleave_whole_lines_in_one_chain(path):
    for process in writers(path, [150, 150, 150]):
        assert process.wait(60) == 0
        process.stdin.close()
        process.stdout.close()
    lines = lines_of(path)
    assert len(lines) == 3 * 300 and chain_of(path)
    order = [line["run"] for line in lines]
    assert sum(one != other for one, other in zip(order, order[1:])) > 10, "they did not run at the same time"
    for run in set(order):
        assert [line["count"] for line in lines if line["run"] == run and line["event"] == "intent"] == list(range(150))


def test_a_kill_in_the_middle_leaves_a_chain_to_go_on_with(path):
    processes = writers(path, [100000, 60])
    while path.stat().st_size < 100000:
        assert processes[0].poll() is None
    processes[0].kill()
    for process in processes:
        process.wait(60)
        process.stdin.close()
        process.stdout.close()
    # Half of a line, as a kill within the system call would leave it.
    with path.open("ab") as file:
        file.write(b'{"prev": "')
    journal = Journal(str(path))
    journal.write([{"event": "intent", "run": "after"}])
    journal.close()
    raw = path.read_bytes().splitlines()
    assert chain_of(path) and raw[-2] == b'{"prev": "' and json.loads(raw[-1])["prev"] == hashlib.sha256(raw[-2]).hexdigest()
    assert sum(b'"run": "run-1"' in line for line in raw) == 120


@pytest.mark.parametrize("left", ['{"event": "int', "{}", "\x00"])
def test_an_unfinished_line_is_ended(path, left):
    path.write_text('{"event": "before"}\n' + left, encoding="utf-8")
    journal = Journal(str(path))
    journal.write([{"event": "after"}])
    journal.close()
    lines = path.read_text(encoding="utf-8").split("\n")
    assert lines[1] == left
    assert json.loads(lines[2])["event"] == "after" and lines[3:] == [""]


@pytest.mark.parametrize("content", ["", '{"event": "whole"}\n'])
def test_a_finished_file_gets_no_blank_line(path, content):
    path.write_text(content, encoding="utf-8")
    Journal(str(path)).close()
    assert path.read_text(encoding="utf-8") == content


def test_each_line_parses_whatever_it_holds(path):
    hostile = "a\nb\r\x1b[31m\u2028\u202e\u00e9\U0001f512\ud800\"\\"
    journal = Journal(str(path))
    journal.write([{"target": hostile, hostile: [hostile, None, 1.5, True]}])
    journal.close()
    assert path.read_bytes().isascii() and path.read_bytes().count(b"\n") == 1
    assert lines_of(path)[0]["target"] == hostile


def test_threads_do_not_mix_their_lines(path):
    journal = Journal(str(path))

    def work(number):
        for count in range(20):
            journal.write([{"thread": number, "count": count, "filler": "x" * 3000}, {"thread": number, "count": count}])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    lines = lines_of(path)
    assert len(lines) == 8 * 20 * 2
    for number in range(8):
        mine = [line["count"] for line in lines if line["thread"] == number]
        assert mine == sorted(mine)


def test_what_write_returned_from_survives_a_kill(path):
    code = (
        "import os, signal, sys\n"
        "from ansible_collections.certops.remediation.plugins.module_utils.journal import Journal\n"
        "journal = Journal(sys.argv[1])\n"
        "journal.write([{'event': 'intent'}])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=False)
    assert done.returncode == -9
    assert [line["event"] for line in lines_of(path)] == ["intent"]


def test_write_flushes_to_the_disk(path, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(path.read_text(encoding="utf-8")))
    journal = Journal(str(path))
    journal.write([{"event": "intent"}])
    assert len(flushed) == 1 and "intent" in flushed[0]
    journal.close()


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(InputError, match="journal_path.*folder must exist"):
        Journal(str(tmp_path / "missing" / "journal.jsonl"))


def test_a_folder_is_no_journal(tmp_path):
    with pytest.raises(InputError, match="journal_path"):
        Journal(str(tmp_path))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_told():
    journal = Journal("/dev/full")
    with pytest.raises(JournalError, match="journal_path.*No space left") as caught:
        journal.write([{"event": "intent"}])
    assert caught.value.fatal


def test_a_write_that_ended_half_way_does_not_spoil_the_next_line(path, monkeypatch):
    journal = Journal(str(path))
    write = os.write

    def full(dummy):
        raise OSError(28, "No space left on device")

    answers = iter([lambda data: write(journal._file, data[:5]), full])
    monkeypatch.setattr(os, "write", lambda handle, data: next(answers)(data))
    with pytest.raises(JournalError):
        journal.write([{"event": "lost"}])
    monkeypatch.setattr(os, "write", write)
    journal.write([{"event": "kept"}])
    journal.close()
    torn, kept = path.read_text(encoding="utf-8").splitlines()
    assert len(torn) == 5 and json.loads(kept)["event"] == "kept"


def test_a_short_write_is_continued(path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:7]))
    journal = Journal(str(path))
    journal.write([{"event": "intent"}, {"event": "outcome"}])
    journal.close()
    assert [line["event"] for line in lines_of(path)] == ["intent", "outcome"]
