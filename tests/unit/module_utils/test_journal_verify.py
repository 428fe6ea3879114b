# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a journal is as it was written: found in the lines themselves, from the command and by the module."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from ansible_collections.certops.remediation.plugins.module_utils import journal_verify
from ansible_collections.certops.remediation.plugins.module_utils.journal import Journal
from ansible_collections.certops.remediation.plugins.modules import journal_entry, journal_info
from ansible_collections.certops.remediation.tests.unit.support import run_module

INTENT = {"event": "intent", "module": "tpp_certificate_reset", "target": "web", "action": "reset"}
OUTCOME = {"event": "outcome", "module": "tpp_certificate_reset", "target": "web", "outcome": "applied"}


@pytest.fixture
def path(tmp_path):
    """A journal with five lines."""
    journal = Journal(str(tmp_path / "journal.jsonl"), "run")
    journal.write([{"event": "run_started", "number": number} for number in range(5)])
    journal.close()
    return tmp_path / "journal.jsonl"


def head_of(path):
    found = journal_verify.verify(path.read_bytes().splitlines(keepends=True))
    return found.lines, found.head


def told(path, *anchors):
    with path.open("rb") as file:
        return journal_verify.verify(file, anchors=anchors)


def rewrite(path, change):
    lines = path.read_bytes().splitlines(keepends=True)
    change(lines)
    path.write_bytes(b"".join(lines))


def swap(lines):
    lines[1], lines[2] = lines[2], lines[1]


TAMPERED = {
    "changed": (lambda lines: lines.__setitem__(1, lines[1].replace(b'"number": 1', b'"number": 7')), "line 3 does not follow line 2"),
    "one byte": (lambda lines: lines.__setitem__(0, lines[0].replace(b"run_started", b"run_Started")), "line 2 does not follow line 1"),
    "first removed": (lambda lines: lines.pop(0), "line 1 is not the first: lines before it were removed"),
    "middle removed": (lambda lines: lines.pop(2), "line 3 does not follow line 2"),
    "reordered": (swap, "line 2 does not follow line 1"),
    "inserted with a hash": (lambda lines: lines.insert(2, lines[2]), "line 4 was written after line 2"),
    "inserted without": (lambda lines: lines.insert(2, b'{"event": "outcome"}\n'), "line 3 carries no hash of the line before it"),
    "garbage inserted": (lambda lines: lines.insert(2, b"{\n"), "line 4 was written after line 2"),
    "blank line inserted": (lambda lines: lines.insert(2, b"\n"), "line 4 was written after line 2"),
    "line ends changed": (lambda lines: lines.__setitem__(1, lines[1].replace(b"\n", b"\r\n")), "line 3 does not follow line 2"),
    "hash removed": (lambda lines: lines.__setitem__(2, b'{"event": "x"}\n'), "line 3 carries no hash"),
    "another journal before it": (lambda lines: lines.__setitem__(slice(0, 0), [b'{"prev": "' + b"0" * 64 + b'"}\n']), "line 2 was written as the first line"),
}


def test_a_journal_that_is_whole(path):
    found = told(path, head_of(path))
    assert (found.intact, found.lines, found.torn, found.unchained, found.problems) == (True, 5, [], 0, [])


@pytest.mark.parametrize("change, said", TAMPERED.values(), ids=TAMPERED)
def test_what_was_done_to_it_is_found(path, change, said):
    rewrite(path, change)
    found = told(path)
    assert not found.intact and found.problems[0].startswith(said), found.problems


def test_the_last_line_is_held_by_what_was_kept_of_it(path):
    anchor = head_of(path)
    rewrite(path, lambda lines: lines.__setitem__(4, lines[4].replace(b'"number": 4', b'"number": 5')))
    assert told(path).intact
    assert told(path, anchor).problems == ["line 5 is not the one that was the last when 5 lines were reported: it, or one before it, was changed"]


def test_a_cut_end_is_found_by_what_was_kept_of_it(path):
    anchor = head_of(path)
    rewrite(path, lambda lines: lines.pop())
    assert told(path).intact
    assert told(path, anchor).problems == [f"the end was cut: 5 lines were reported, the last with the hash {anchor[1][:16]}, and there are 4"]


def test_a_chain_that_was_made_anew_is_found_by_what_was_kept_of_it(path, tmp_path):
    anchor = head_of(path)
    other = Journal(str(tmp_path / "other"), "run")
    other.write([{"event": "run_started", "number": number} for number in (0, 1, 2, 3, 9, 10)])
    other.close()
    assert told(tmp_path / "other").intact and not told(tmp_path / "other", anchor).intact


def test_a_journal_that_has_grown_still_holds_what_was_kept_of_it(path):
    anchor = head_of(path)
    journal = Journal(str(path))
    journal.write([INTENT])
    journal.close()
    assert told(path, anchor).intact and told(path, anchor, head_of(path)).intact


def test_a_torn_line_is_part_of_the_chain(path):
    with path.open("ab") as file:
        file.write(b'{"prev": "abc')
    assert (told(path).intact, told(path).torn, told(path).lines) == (True, [6], 6)
    journal = Journal(str(path))
    journal.write([INTENT])
    journal.close()
    assert (told(path).intact, told(path).torn, told(path).lines) == (True, [6], 7)
    rewrite(path, lambda lines: lines.__setitem__(5, b'{"prev": "xyz\n'))
    assert told(path).problems[0].startswith("line 7 does not follow line 6")


def test_lines_of_a_version_that_made_no_chain(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"event": "intent"}\n{"event": "outcome"}\n', encoding="utf-8")
    journal = Journal(str(path))
    journal.write([INTENT])
    journal.close()
    assert (told(path).intact, told(path).unchained) == (True, 2)
    rewrite(path, lambda lines: lines.pop(1))
    assert not told(path).intact


def test_problems_are_counted_and_not_all_told(path):
    rewrite(path, lambda lines: lines.extend([b"{}\n"] * 50))
    assert told(path).problem_count == 50 and len(told(path).problems) == journal_verify.MOST_PROBLEMS


# -- command -----------------------------------------------------------------------------------------------------------------------------


def command(tmp_path, *arguments):
    """A copy of the file, alone, by a Python that finds nothing else."""
    copy = shutil.copy(journal_verify.__file__, tmp_path / "copied.py")
    done = subprocess.run([sys.executable, "-I", "-S", copy, *map(str, arguments)], capture_output=True, text=True, check=False, cwd="/")
    return done.returncode, done.stdout, done.stderr


def test_anybody_can_run_it(path, tmp_path):
    lines, head = head_of(path)
    status, output, dummy = command(tmp_path, path, "--lines", lines, "--head", head)
    assert (status, output.splitlines()) == (0, ["lines: 5", f"head: {head}", "whole"])
    record = tmp_path / "report.json"
    record.write_text(json.dumps({"run": {"journal_head": {"lines": 5, "sha256": head}}}), encoding="utf-8")
    assert command(tmp_path, path, "--record", record)[0] == 0
    rewrite(path, lambda raw: raw.pop())
    status, output, dummy = command(tmp_path, path, "--record", record)
    assert status == 1 and output.startswith("the end was cut") and output.endswith("NOT WHOLE: this journal is not as it was written\n")
    assert "whole, as far as it goes" in command(tmp_path, path)[1]


@pytest.mark.parametrize("arguments", [["/nowhere"], ["{path}", "--lines", "5"], ["{path}", "--record", "/dev/null"], ["{path}", "--record", "{path}"]])
def test_what_the_command_cannot_use(path, tmp_path, arguments):
    status, dummy, said = command(tmp_path, *[argument.format(path=path) for argument in arguments])
    assert status == 2 and said and "Traceback" not in said


def test_no_terminal_sequence_comes_through(path, tmp_path):
    journal = Journal(str(path))
    journal.write([{**INTENT, "target": "web\x1b[2J\u202e", "action": "\x1b]0;x\x07"}])
    journal.close()
    dummy, output, dummy = command(tmp_path, path)
    assert "look what became of web?[2J?: ?]0;x?, begun at" in output and not any(letter in output for letter in "\x1b\u202e\x07")


# -- modules -----------------------------------------------------------------------------------------------------------------------------


def info(path, **args):
    return run_module(journal_info, {"path": str(path), **args})


def test_module_verifies_and_sums_up(path):
    lines, head = head_of(path)
    found = info(path, heads=[{"lines": lines, "sha256": head}])
    assert not found["failed"] and not found["changed"] and found["intact"] and found["anchored"]
    assert found["head"] == {"lines": 5, "sha256": head} and found["runs"][0]["events"] == {"run_started": 5}
    rewrite(path, lambda raw: raw.pop())
    found = info(path, heads=[{"lines": lines, "sha256": head}])
    assert found["failed"] and found["msg"].startswith("the end was cut") and found["problem_count"] == 1
    assert not info(path, heads=[{"lines": lines, "sha256": head}], fail_if_broken=False)["failed"]
    assert info(path)["intact"] and not info(path)["anchored"]


def test_module_reads_what_reports_keep(path, tmp_path):
    record = tmp_path / "report.json"
    lines, head = head_of(path)
    record.write_text(json.dumps({"run": {"journal_head": {"lines": lines, "sha256": head}}}), encoding="utf-8")
    assert info(path, records=[str(record)])["anchored"]
    record.write_text("[]", encoding="utf-8")
    assert "is no report that holds the end of a journal" in info(path, records=[str(record)])["msg"]
    assert "cannot be read" in info(path, records=["/nowhere"])["msg"] and "cannot be read" in info("/nowhere")["msg"]


def test_what_was_begun_and_has_no_outcome(tmp_path):
    path = tmp_path / "journal.jsonl"
    for run, lines in enumerate([[INTENT, {**INTENT, "target": "mail"}], [INTENT, OUTCOME],
                                 [{**INTENT, "target": "vpn"}, {**OUTCOME, "target": "vpn", "outcome": "unknown"}]]):
        journal = Journal(str(path), f"run {run}")
        journal.write(lines)
        journal.close()
    found = info(path)
    assert [(target["target"], target["run"], target["line"]) for target in found["open_targets"]] == [("mail", "run 0", 2), ("vpn", "run 2", 6)]
    assert [(run["run"], run["what"], run["ended"]) for run in found["runs"]] == [(f"run {run}", "tpp_certificate_reset", False) for run in range(3)]


def entry(path, *entries, check_mode=False, **args):
    return run_module(journal_entry, {"path": str(path), "entries": list(entries), **args}, check_mode=check_mode)


def test_events_of_ones_own(tmp_path):
    path = tmp_path / "journal.jsonl"
    first = entry(path, {"event": "run_started", "role": "a_flow", "reference": "INC-1"})
    second = entry(path, {"event": "proof", "target": "web"}, {"event": "run_ended", "headline": "1 revoked"}, run=first["run"])
    assert first["changed"] and first["head"]["lines"] == 1 and (second["run"], second["written"]) == (first["run"], 2)
    assert second["head"] == info(path)["head"] and path.stat().st_mode & 0o777 == 0o600
    (run,) = info(path, heads=[first["head"], second["head"]])["runs"]
    assert (run["what"], run["reference"], run["ended"], run["headline"]) == ("a_flow", "INC-1", True, "1 revoked")


def test_check_mode_writes_nothing(tmp_path):
    found = entry(tmp_path / "journal.jsonl", {"event": "proof"}, check_mode=True)
    assert found["changed"] and found["written"] == 0 and found["run"] and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "bad, said",
    [
        ({"target": "web"}, "entries[1]: event must be a word in lower case"),
        ({"event": "Proof"}, "entries[1]: event must be a word in lower case, such as proof, and is 'Proof'"),
        ({"event": "outcome"}, "entries[1]: the event outcome is written by the modules that act"),
        ({"event": "proof", "prev": "0", "run": "x"}, "entries[1]: prev, run is set by the module"),
    ],
)
def test_events_that_would_be_taken_for_something_else(tmp_path, bad, said):
    found = entry(tmp_path / "journal.jsonl", {"event": "proof"}, bad)
    assert found["failed"] and found["msg"].startswith(said) and not list(tmp_path.iterdir())
