# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all flows have in common: options, guards, waves and the frame of the record. Knows no vendor; a flow's own file does. Does no I/O, except to
see whether a file of tasks can be used."""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import os
import random
import re
import typing as t
import urllib.parse

import yaml

from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable
from ansible_collections.certops.remediation.plugins.plugin_utils import freeze

Json = t.Mapping[str, t.Any]

FORMAT = "certops.remediation/record/1"
REPORT_FORMATS = ("html", "markdown", "json", "csv")
TRUE, FALSE = ("true", "yes", "on", "1", "y", "t"), ("false", "no", "off", "0", "n", "f")
# Files with tasks of the user, which some flows have.
HOOKS = ("deploy_tasks", "deliver_tasks", "verify_tasks")
# The numbers that every flow knows, and what holds when one of them is not set. They stay text: "" is not set, and "0" is.
NUMBERS = {
    "max_changes": "",
    "expected_changes": "",
    "canary_size": "1",
    "wave_size": "50",
    "max_failed_percent": "10",
    "wait_timeout": "600",
    "wait_interval": "5",
    "concurrency": "8",
    "expiring_days": "30",
}
# What can end a role as failed after its record was written, beside a refusal and a stop, which always do.
FAIL_ON = ("drift", "failed", "pending", "expiring", "none")
# Outcomes of a target that has not become what it was to become.
BAD = ("failed", "unknown", "refused", "not_attempted")
MOST_EXAMPLES = 3


# -- options -----------------------------------------------------------------------------------------------------------------------------


def text(value: t.Any) -> str:
    """An option as text: a survey sends an empty string for a question that was left open, and YAML null for an empty value."""
    return "" if value is None else str(value).strip()


def entries(value: t.Any) -> list[t.Any]:
    """A list, which may also be given as text with one entry in each line: that is all that a survey can do."""
    given = text(value).splitlines() if value is None or isinstance(value, str) else value
    stripped = [entry.strip() if isinstance(entry, str) else entry for entry in given]
    return [entry for entry in stripped if entry not in ("", None)]


def words_of(value: t.Any) -> list[str]:
    """A list of words, which may also be separated by commas."""
    return [word.strip() for line in entries(value) for word in str(line).split(",") if word.strip()]


def truth(value: t.Any, default: bool) -> bool:
    said = text(value).lower()
    return said in TRUE if said else default


def bad_truths(values: Json, known: Json) -> list[str]:
    """A complaint for each option that is to be true or false and is neither: taken for false, it would turn a guard off.

    :param values: of all options of a role, by name.
    :param known: these options as its argument specs describe them. An empty string is allowed for all, so that a truth value is told by its default.
    """
    switches = [name for name, option in known.items() if isinstance(option.get("default"), bool)]
    wrong = {name: text(values[name]) for name in switches if text(values[name]).lower() not in ("", *TRUE, *FALSE)}
    return [f"{name} must be true or false, and is {printable(said, 60)}" for name, said in wrong.items()]


def report_base(value: t.Any) -> str:
    """Where the reports are written, without the ending of a format; what else follows a dot belongs to the name."""
    return re.sub(r"(?<=[^/])\.(html|md|markdown|json|csv)$", "", path(value), flags=re.IGNORECASE)


def path(value: t.Any) -> str:
    # A module would take a relative path from the folder of the playbook, which is in the collection. Whoever types one means where he is.
    return os.path.abspath(os.path.expanduser(text(value))) if text(value) else ""


def hook_complaint(file: str) -> str:
    """Why a file of tasks cannot be used; empty when it can. Ansible sees it when the first certificate is handed over, and a bad one ends the run there."""
    try:
        with open(file, encoding="utf-8") as stream:
            # Only its form: what its tags mean, such as that of a vault, is Ansible's business.
            yaml.compose(stream)
    except (FileNotFoundError, IsADirectoryError):
        return f"there is no file {file}"
    except OSError as error:
        return f"cannot read {file} ({error.strerror})"
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        return f"{file} is no YAML{f', see line {mark.line + 1}' if mark else ''}"
    return ""


def bad_patterns(role: str, name: str, patterns: t.Iterable[str]) -> list[str]:
    complaints = []
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            complaints.append(f"{role}_{name} is a list of regular expressions, and {pattern} is none: {error}")
    return complaints


def bad_numbers(role: str, numbers: Json) -> list[str]:
    wrong = [f"{role}_{name}" for name, value in numbers.items() if not re.fullmatch("[0-9]*", value)]
    return [f"{', '.join(wrong)} must be a whole number"] if wrong else []


def options(given: Json, role: str, formats: t.Sequence[str] = ("html",), journal: bool = True) -> dict[str, t.Any]:
    """The options that every flow has, as its tasks use them.

    :param given: these options without the role's prefix, as they were set.
    :param formats: of the report, when none is set.
    :param journal: whether there is a journal beside the report, when no path of one is set. A flow that only reads needs none.
    """
    numbers = {name: text(given[name]) or default for name, default in NUMBERS.items()}
    chosen = words_of(given["report_formats"]) or list(formats)
    fail_on = [*(words_of(given["fail_on"]) or ["failed"])]
    # The older names of the same.
    fail_on += [name for name, old in (("pending", "fail_if_open"), ("none", "fail_if_none")) if truth(given[old], False) and name not in fail_on]
    windows = [str(window) for window in entries(given["freeze"])]
    base = report_base(given["report_path"])
    deny = [str(pattern) for pattern in entries(given["deny"])]
    wrong = bad_numbers(role, numbers)
    unknown = [name for name in chosen if name not in REPORT_FORMATS]
    unknown_outcomes = [name for name in fail_on if name not in FAIL_ON]
    hooks = {f"{role}_{name}": hook_complaint(path(given[name])) for name in HOOKS if text(given.get(name))}
    found = {
        f"{role}_wave_size must be at least 1": not wrong and int(numbers["wave_size"]) < 1,
        f"{role}_max_failed_percent must be at most 100": not wrong and int(numbers["max_failed_percent"]) > 100,
        f"{role}_report_formats does not know {', '.join(unknown)}. It knows {', '.join(REPORT_FORMATS)}": unknown,
        f"{role}_fail_on does not know {', '.join(unknown_outcomes)}. It knows {', '.join(FAIL_ON)}": unknown_outcomes,
        f"{role}_report_url must begin with https:// and hold neither user nor password": not _is_safe(text(given["report_url"])),
    }
    return {
        "role": role,
        "number": numbers,
        "deny": deny,
        "plan_digest": text(given["plan_digest"]),
        "require_plan_digest": truth(given["require_plan_digest"], False),
        "continue_on_error": truth(given["continue_on_error"], False),
        "fail_on": fail_on,
        "freeze": windows,
        "freeze_override": text(given["freeze_override"]),
        "frozen": {},
        "in_given_order": text(given["order"]) == "given",
        "reference": text(given["reference"]),
        # A report can be made again from the journal, also when the run is killed before it has written one.
        "journal": path(given["journal_path"]) or (f"{base}.journal.jsonl" if base and journal else ""),
        "report_base": base,
        "report_formats": chosen,
        "report_url": text(given["report_url"]).rstrip("/"),
        "complaints": wrong + [f"{name}: {complaint}" for name, complaint in hooks.items() if complaint]
        + [said for said, applies in found.items() if applies] + bad_patterns(role, "deny", deny) + freeze.complaints(role, windows),
    }


def unknown_options(names: t.Iterable[str], known: t.Iterable[str], role: str, roles: t.Iterable[str] = ()) -> list[str]:
    """A complaint for each variable that begins as the role's options do and is none of them.

    Ansible ignores a variable that nobody reads, and with it a guard whose name was misspelt.

    :param roles: those of the play, by any name. One whose name is longer has variables that begin in the same way.
    """
    options_ = sorted(known)
    longer = tuple(f"{short}_" for short in (name.rpartition(".")[2] for name in roles) if short.startswith(f"{role}_"))
    # What a run hands on, to later tasks and to the next job of a workflow.
    handed_on = {f"{role}_summary", f"{role}_plan_digest", f"{role}_result"}
    unknown = sorted(name for name in {*names} - {*options_, *handed_on} if not (longer and name.startswith(longer)))
    near = {name: difflib.get_close_matches(name, options_, 1) for name in unknown}
    return [f"{name} is no option of {role}" + "".join(f"; {match} is one" for match in near[name]) for name in unknown]


def _is_safe(url: str) -> bool:
    """Whether a report may be sent there; an address that is not set is."""
    parts = urllib.parse.urlsplit(url)
    return not url or (parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc)


def job_complaints(options: Json, folder: t.Any, job: Json) -> list[str]:
    """What cannot work in a job of AWX, and would elsewhere.

    :param folder: where the flow writes files of its own, when it does.
    :param job: ``id``, empty outside AWX; ``host``, ``hosts`` of the inventory, and ``folders`` that end with the job.
    """
    if not job["id"]:
        return []
    role, said = options["role"], []
    # AWX starts a play for localhost in every slice, and tells no job that it is one. Only one slice has the host in its inventory.
    if job["hosts"] and job["host"] not in job["hosts"]:
        said.append(
            f"{job['host']} is not in the inventory of this job, so each slice of it would do the same work. Use an inventory that holds nothing but "
            f"{job['host']}, and one job slice"
        )
    kept = {} if options["report_url"] else {"journal_path": options["journal"], "report_path": options["report_base"]}
    lost = [f"{role}_{name}" for name, place in {**kept, "folder": path(folder)}.items() if place and _is_below(place, job["folders"])]
    if lost:
        said.append(
            f"{', '.join(lost)} is in the directory of this job, which AWX removes with everything in it. Name a directory that is mounted into the "
            f"job{'' if lost == [f'{role}_folder'] else f', or set {role}_report_url'}"
        )
    return said


def _is_below(place: str, folders: t.Iterable[str]) -> bool:
    real = os.path.realpath(place)
    return any(real == folder or real.startswith(folder.rstrip("/") + "/") for folder in map(os.path.realpath, filter(None, folders)))


def deliveries(options: Json, run_id: str | int) -> list[dict[str, str]]:
    """Which files go where, of those that a run can leave.

    :param run_id: what tells this run from others, the number of the job or the moment it began.
    """
    name = f"{options['report_url']}/{options['role']}-{re.sub('[^A-Za-z0-9]', '', str(run_id))}"
    extensions = [form.replace("markdown", "md") for form in options["report_formats"]]
    found = [{"what": "Report", "file": f"{options['report_base']}.{extension}", "url": f"{name}.{extension}"} for extension in extensions]
    return [*found, *([{"what": "Journal", "file": options["journal"], "url": f"{name}.journal.jsonl"}] if options["journal"] else [])]


# -- waves -------------------------------------------------------------------------------------------------------------------------------


def waves(
    record: Json, options: Json, *, key: str, handed: t.Sequence[str], kind: str, prefix: str = "", interim: bool = False
) -> list[dict[str, t.Any]]:
    """What is planned, as a canary and waves.

    :param key: the field of a certificate's row that names it.
    :param handed: the fields that the module is given of each.
    :param kind: the canary is taken of those that share the most frequent value of this field, because it stands for the many.
    :param prefix: begins the name of each wave in the record, where a flow goes through waves more than once.
    :param interim: whether a certificate is not done yet when its wave is, because the flow goes on with it in another one.
    """
    rows = [row for row in record["certificates"] if row["planned"]]
    # The same order in every run of the same plan, and each wave a fair sample of all kinds.
    if not options["in_given_order"]:
        random.Random(options["role"]).shuffle(rows)
    number = {name: int(value) for name, value in options["number"].items() if value}
    most = max(groups(rows, kind, key), key=lambda group: group["count"])["text"].lower() if rows else ""
    canary = [row for row in rows if row[kind].lower() == most][: number["canary_size"]]
    taken = set(map(id, canary))
    rest = [row for row in rows if id(row) not in taken]
    size, limit = number["wave_size"], number["max_failed_percent"]
    parts = [rest[start : start + size] for start in range(0, len(rest), size)]

    def wave(name: str, part: t.Sequence[Json], is_canary: bool) -> dict[str, t.Any]:
        return {
            "name": prefix + name,
            "called": name,
            "is_canary": is_canary,
            "interim": interim,
            "limit": 0 if is_canary else limit,
            "members": [str(row[key]) for row in part],
            "targets": [{field: row[field] for field in handed} for row in part],
        }

    found = [wave("the canary", canary, True)] if canary else []
    found += [wave(f"wave {place} of {len(parts)}", part, False) for place, part in enumerate(parts, 1)]
    return [sized(entry) for entry in found]


def sized(wave: Json, members: t.Collection[str] | None = None) -> dict[str, t.Any]:
    """The wave with what follows from its size; with ``members``, of these only."""
    chosen = [place for place, member in enumerate(wave["members"]) if members is None or member in members]
    size = len(chosen)
    return {
        **wave,
        "members": [wave["members"][place] for place in chosen],
        "targets": [wave["targets"][place] for place in chosen],
        "size": size,
        "title": f"{wave['called']}: {size} certificate{'' if size == 1 else 's'}",
        "stop_after_failures": size * wave["limit"] // 100 + 1,
    }


@dataclasses.dataclass(frozen=True)
class Wave:
    """A wave that has ended.

    :param members: what its certificates are known by, in the order in which the module was given them.
    :param answer: what the module gave, whether or not it got to its work.
    """

    role: str
    name: str
    members: t.Sequence[str]
    limit: int
    is_canary: bool
    answer: Json
    interim: bool = False

    @property
    def targets(self) -> t.Sequence[Json]:
        return self.answer.get("targets") or []

    @property
    def cause(self) -> str:
        """Why there are no targets at all; empty when there are."""
        return "" if "targets" in self.answer else self.answer.get("msg") or "the task ended without a result"

    @property
    def bad(self) -> list[tuple[str, Json]]:
        return [(member, target) for member, target in zip(self.members, self.targets) if target["outcome"] in BAD or _is_late(target)]

    @property
    def bad_count(self) -> int:
        return len(self.members) if self.cause else len(self.bad)

    @property
    def outcomes(self) -> dict[str, str]:
        if self.cause:
            # With an error object the module never got to its work. Without one it died, and nobody knows.
            return dict.fromkeys(self.members, "not_attempted" if "error" in self.answer else "unknown")
        return {member: target["outcome"] for member, target in zip(self.members, self.targets)}

    @property
    def messages(self) -> dict[str, str]:
        return dict.fromkeys(self.members, self.cause) if self.cause else {member: target["message"] for member, target in self.bad}

    @property
    def stop(self) -> str:
        """Why the run must not go on; empty if it may."""
        if self.cause:
            return f"{self.name} could not be carried out: {self.cause}"
        if self.is_canary and self.bad:
            target = self.bad[0][1]
            return f"{self.name} did not make it. {target['target']}: {target['message']}"
        # The module gave up for a cause that the next wave would meet as well; where it only kept to the threshold, the threshold is the news.
        for target in self.targets:
            if target["outcome"] == "not_attempted" and "stop_after_failures" not in target["message"]:
                return f"{self.name} was given up: {target['message']}"
        size = len(self.members)
        percent = self.bad_count * 100 / size
        if percent > self.limit:
            return (
                f"{self.bad_count} of the {size} certificates of {self.name} failed, which is {round(percent)} %"
                f" and more than {self.role}_max_failed_percent={self.limit}"
            )
        return ""

    @property
    def told(self) -> str:
        """In the words of the module, such as "44 applied, 2 pending, 4 failed"."""
        counts = self.answer.get("summary") or {"without a result": len(self.members)}
        return f"{self.name}: " + ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in counts.items() if count)

    def counts(self) -> dict[str, int]:
        outcomes = [target["outcome"] for target in self.targets]
        return {
            "size": len(self.members),
            "fine": outcomes.count("applied") + outcomes.count("unchanged"),
            "pending": outcomes.count("pending") - sum(_is_late(target) for target in self.targets),
            "bad": self.bad_count,
            "changed": sum(bool(target["changed"]) for target in self.targets),
        }


def _is_late(target: Json) -> bool:
    return target["outcome"] == "pending" and bool(target.get("timed_out"))


def progress(done: Json, wave: Wave, *, total: int, ended: str, keep: t.Sequence[str] = ()) -> dict[str, t.Any]:
    """What all waves so far have come to: outcomes and messages by member, a line for each wave, and why the run has to stop.

    :param total: how many steps all waves have together.
    :param keep: fields of the module's results that are wanted later, by member under ``kept``.
    """
    ended_waves = [*done["waves"], {"name": wave.name, **wave.counts(), "ended": ended, **({"interim": True} if wave.interim else {})}]
    kept = {member: {field: target.get(field) for field in keep} for member, target in zip(wave.members, wave.targets)} if keep else {}
    return {
        "outcomes": {**done["outcomes"], **wave.outcomes},
        "messages": {**{member: said for member, said in done["messages"].items() if member not in wave.outcomes}, **wave.messages},
        "kept": {**done["kept"], **kept},
        "stopped": wave.stop,
        "waves": ended_waves,
        "finished": wave.told,
        "told": f"{sum(entry['size'] for entry in ended_waves)} of {total} done, {sum(entry['bad'] for entry in ended_waves)} failed",
    }


# -- record ------------------------------------------------------------------------------------------------------------------------------


def groups(rows: t.Iterable[Json], field: str, key: str) -> list[dict[str, t.Any]]:
    """Rows with the same text in ``field``, in the order of these texts; case is ignored. The examples are by ``key``."""
    same: dict[str, list[Json]] = {}
    for row in rows:
        same.setdefault(row[field].lower(), []).append(row)
    return [
        {"text": members[0][field], "count": len(members), "examples": [row[key] for row in members[:MOST_EXAMPLES]]}
        for dummy, members in sorted(same.items())
    ]


def open_groups(by_result: t.Mapping[str, list[Json]], words: Json, key: str) -> list[dict[str, t.Any]]:
    """What is still to be done, by result and text, with who has to act and how.

    A result of the words says so itself by ``who`` and ``what``, or it has ``advice: true``: then that depends on its text. ``told_by`` is the
    field with that text.
    """
    advice = [(re.compile(entry["pattern"], re.IGNORECASE), entry) for entry in words["advice"]]
    open_results = [result for result in words["results"] if by_result.get(result["key"]) and (result.get("advice") or "who" in result)]
    found = []
    for rank, result in enumerate(open_results, 1):
        for group in groups(by_result[result["key"]], result.get("told_by", "why"), key):
            whose = next(entry for pattern, entry in advice if pattern.search(group["text"])) if result.get("advice") else result
            found.append({
                "rank": rank,
                "result": result["key"],
                "label": result["label"],
                "tone": result["tone"],
                **group,
                "who": whose["who"],
                "what": whose["what"],
            })
    return found


def refusals(plan: Json, options: Json, *, names: t.Mapping[str, t.Sequence[str]], bad: int, selected: int) -> list[dict[str, str]]:
    """Each guard that says no, with the numbers and what to change. Where nothing would be changed there is nothing to refuse.

    :param plan: the module's result in check mode.
    :param names: of each certificate to be changed, by the name that people know it by, all the names that the deny list is about.
    :param bad: how many of the selected certificates cannot be read or acted on.
    """
    planned = len(names)
    if not planned:
        return []
    role = options["role"]
    most, expected = options["number"]["max_changes"], options["number"]["expected_changes"]
    digest, approved = plan["plan_digest"], options["plan_digest"]
    patterns = [re.compile(pattern, re.IGNORECASE) for pattern in options["deny"]]
    denied = [shown for shown, known in names.items() if any(pattern.search(name) for pattern in patterns for name in known)]
    said: list[tuple[str, bool, str]] = [
        ("deny", bool(denied), f"{len(denied)} of the {planned} certificates to be changed match {role}_deny, such as "
         f"{', '.join(denied[:MOST_EXAMPLES])}. Select without them, or change the list."),
        ("max_changes", most != "" and planned > int(most), f"the plan would change {planned} certificates, at most {most} are allowed. "
         f"Select fewer, or raise {role}_max_changes."),
        ("expected_changes", expected != "" and planned != int(expected), f"the plan would change {planned} certificates, {expected} were expected. "
         f"Look at the plan; if it is right, set {role}_expected_changes={planned}."),
        ("plan_digest", approved not in ("", digest), f"the plan is now {digest}, approved was {approved}. "
         "Run with --check again and have that plan approved."),
        ("continue_on_error", bad > 0 and not options["continue_on_error"], f"{bad} of the {selected} selected certificates cannot be read or acted on. "
         f"Leave them out, or set {role}_continue_on_error=true to act on the others."),
    ]
    return [{"guard": guard, "message": message} for guard, refuses, message in said if refuses]


def approval_refusal(options: Json) -> list[dict[str, str]]:
    """The guard of a job that may only apply what was approved."""
    role = options["role"]
    if not options["require_plan_digest"] or options["plan_digest"]:
        return []
    message = f"{role}_require_plan_digest is set, and there is no {role}_plan_digest. Make a plan with --check, have it approved, and give its digest."
    return [{"guard": "require_plan_digest", "message": message}]


def freeze_stop(options: Json, now: str) -> str:
    """Why no further wave may begin; empty when it may.

    :param now: ISO 8601 with a zone.
    """
    frozen = freeze.frozen(options["freeze"], now)
    if not frozen or options["freeze_override"]:
        return ""
    ends = f"It ends on {frozen['until']}" if frozen["until"] else "It has no end"
    return f"the freeze window {frozen['window']} has begun, so no further wave is. {ends}; run the same command again after it"


def freeze_refusal(options: Json) -> list[dict[str, str]]:
    """The guard that asks the clock."""
    frozen, role = options["frozen"], options["role"]
    if not frozen or options["freeze_override"]:
        return []
    ends = f"holds until {frozen['until']}. Run it after that" if frozen["until"] else "has no end. Change it"
    message = f"the freeze window {frozen['window']} {ends}, or set {role}_freeze_override to the reason why it cannot wait."
    return [{"guard": "freeze", "message": message}]


def platforms(rows: t.Iterable[Json], words: Json) -> list[dict[str, t.Any]]:
    """For each platform what there was before and what there is now, in numbers.

    A row names its platform, or the words name that of all. ``fields.state`` is the field with what a certificate was before, in a word or two.
    """
    state = words.get("fields", {}).get("state")
    results = {result["key"]: result for result in words["results"]}
    same: dict[str, list[Json]] = {}
    for row in rows:
        same.setdefault(str(row.get("platform") or words.get("platform") or ""), []).append(row)
    found = []
    for name, members in same.items():
        counted: dict[str, int] = {}
        before: dict[str, int] = {}
        for row in members:
            counted[row["result"]] = counted.get(row["result"], 0) + 1
            if state:
                said = str(row.get(state) or "not known").replace("_", " ")
                before[said] = before.get(said, 0) + 1
        found.append({
            "platform": name,
            "selected": len(members),
            "before": [{"text": said, "count": count} for said, count in sorted(before.items(), key=lambda item: -item[1])],
            "now": [{"label": results[key]["label"], "tone": results[key]["tone"], "count": counted[key]} for key in results if key in counted],
            "final": sum(count for key, count in counted.items() if results[key].get("final")),
            "open": sum(count for key, count in counted.items() if "who" in results[key] or results[key].get("advice")),
        })
    return found


def remaining(results: t.Mapping[str, int], words: Json) -> int:
    """How many are not as they are to be; what was left alone does not count."""
    return sum(results[result["key"]] for result in words["results"] if result["tone"] != "good" and result["key"] != "left")


def progress_points(made: Json, words: Json) -> list[list[t.Any]]:
    """When how many were still to be done: at the beginning, after each wave, and now. Empty for a plan."""
    waves_done = [wave for wave in made["waves"] if not wave.get("interim")]
    if not waves_done or not made["run"].get("started"):
        return []
    now = remaining(made["results"], words)
    left = now + sum(wave.get("fine", 0) for wave in waves_done)
    points: list[list[t.Any]] = [[made["run"]["started"], left]]
    for wave in waves_done:
        left -= wave.get("fine", 0)
        points.append([wave.get("ended"), left])
    return [*points, [made["run"].get("ended") or points[-1][0], now]]


def expiring_rows(rows: t.Iterable[Json], words: Json, run: Json, days: int) -> list[Json]:
    """Certificates that end within so many days from the beginning of the run, or have ended, and have not been replaced.

    The words name the field with the end (``fields.expires``), and which results mean that it is nobody's concern any more (``settled``).
    """
    field = words.get("fields", {}).get("expires")
    if not field or not run.get("started"):
        return []
    last = (datetime.date.fromisoformat(run["started"][:10]) + datetime.timedelta(days=days)).isoformat()
    settled = {result["key"] for result in words["results"] if result.get("settled")}
    return [row for row in rows if row.get(field) and str(row[field])[:10] <= last and row["result"] not in settled]


def causes(record: Json, options: Json, words: Json, failing: t.Sequence[str]) -> list[str]:
    """Why the role has to end as failed, in a sentence each; empty when it has not.

    :param failing: the results that mean that something went wrong.
    """
    counts, fail_on, role = record["counts"], options["fail_on"], options["role"]

    def told(keys: t.Collection[str]) -> str:
        return ", ".join(f"{record['results'][result['key']]} {result['label']}" for result in words["results"]
                         if result["key"] in keys and record["results"][result["key"]])

    # What only one flow knows is no result of a certificate, and ends the role because it was asked to.
    known = {result["key"] for result in words["results"]}
    own = [f"{record['results'][name]} {words[name]['label']}." for name in failing if name not in known and record["results"][name]]
    days = options["number"]["expiring_days"]
    outcomes = {
        "drift": f"{counts['planned']} would be {record['what']}" if record["check_mode"] and counts["planned"] else "",
        "failed": told(failing),
        "pending": told([result["key"] for result in words["results"] if result.get("waits")]),
        "expiring": f"{counts['expiring']} end within {days} days and are not replaced, such as {', '.join(record['expiring'])}" if counts["expiring"] else "",
        "none": "" if counts["selected"] else "nothing was selected",
    }
    return [
        *(refusal["message"] for refusal in record["refusals"]),
        *([record["stopped"]] if record["stopped"] else []),
        *own,
        *(f"{role}_fail_on has {name}: {outcomes[name]}." for name in FAIL_ON if name in fail_on and outcomes[name]),
    ]


def control_plane(url: str) -> str:
    """The address without what is nobody's business: credentials, path and query."""
    return urllib.parse.urlsplit(url).netloc.rpartition("@")[2]


def headline(made: Json, words: Json) -> str:
    """The run in one line."""
    counts = made["counts"]
    results = [result for result in words["results"] if made["results"][result["key"]] and result["tone"] != "plan"]
    # The good news first, in the order of the words, then the other.
    told = ", ".join(f"{made['results'][result['key']]} {result['label']}" for result in sorted(results, key=lambda result: result["tone"] != "good"))
    if made["refusals"]:
        return f"Refused by {', '.join(refusal['guard'] for refusal in made['refusals'])}; nothing was changed"
    if not counts["selected"]:
        return str(words["nothing_selected"])
    if not counts["planned"]:
        return f"Nothing to change: {told}"
    if not made["waves"]:
        return f"{counts['planned']} of {counts['selected']} selected certificates {'would' if made['check_mode'] else 'are to'} be {made['what']}"
    return f"Stopped: {told}" if made["stopped"] else told


def tone(made: Json, words: Json) -> str:
    """The colour of the whole: that of the worst. A result with ``alarm: true`` is never a matter of course."""
    if made["refusals"] or made["stopped"] or any(result.get("alarm") and made["results"][result["key"]] for result in words["results"]):
        return "bad"
    if made["counts"]["planned"] and not made["waves"]:
        return "plan"
    if made["open"]:
        return "wait"
    return "idle" if made["results"]["left"] else "good"


def record(
    rows: t.Sequence[Json],
    plan: Json,
    done: Json,
    *,
    refused: t.Sequence[Json],
    sections: Json,
    key: str,
    options: Json,
    settings: Json,
    run: Json,
    words: Json,
    what: str,
    check_mode: bool,
) -> dict[str, t.Any]:
    """The whole record of a run. The report in each of its formats is made of this and of nothing else.

    :param rows: one for each selected certificate, with at least ``planned``, ``result`` (a key of the words' results) and ``why``.
    :param refused: the guards that say no.
    :param sections: groups of certificates, as the words' sections name them.
    :param key: the field of a row that names its certificate.
    :param settings: what the run was told beside the options that every flow has.
    """
    by_result: dict[str, list[Json]] = {result["key"]: [] for result in words["results"]}
    for row in rows:
        by_result[row["result"]].append(row)
    planned = sum(row["planned"] for row in rows)
    expiring = expiring_rows(rows, words, run, int(options["number"]["expiring_days"]))
    # A plan is made for later; it only tells what would be refused now.
    frozen = freeze_refusal(options) if planned else []
    unapproved = approval_refusal(options) if planned and not check_mode else []
    made = {
        "format": FORMAT,
        "flow": options["role"],
        "title": words["title"],
        "check_mode": check_mode,
        "what": what,
        "refusals": [*refused, *unapproved, *([] if check_mode else frozen)],
        "refused_now": frozen if check_mode else [],
        "stopped": done["stopped"],
        "key": key,
        "deadline": settings.get("deadline") or "",
        "notes": [],
        "counts": {
            "selected": len(rows),
            "planned": planned,
            "changed": sum(wave["changed"] for wave in done["waves"]),
            "expiring": len(expiring),
        },
        "expiring": [row[key] for row in expiring[:MOST_EXAMPLES]],
        "results": {result: len(members) for result, members in by_result.items()},
        "plan_digest": plan["plan_digest"],
        **sections,
        "left": groups(by_result["left"], next(result for result in words["results"] if result["key"] == "left").get("told_by", "why"), key),
        "open": open_groups(by_result, words, key),
        "platforms": platforms(rows, words),
        "irreversible": [
            {"label": result["label"], "count": len(by_result[result["key"]]), "examples": [row[key] for row in by_result[result["key"]][:MOST_EXAMPLES]]}
            for result in words["results"]
            if result.get("final") and by_result[result["key"]]
        ],
        "waves": list(done["waves"]),
        "settings": {
            **settings,
            **{name: options[name] for name in ("deny", "plan_digest", "freeze", "freeze_override", "fail_on")},
            **{
                name: options["number"][name]
                for name in ("max_changes", "expected_changes", "canary_size", "wave_size", "max_failed_percent", "expiring_days")
            },
        },
        "run": {
            **run,
            "reference": options["reference"],
            "journal": options["journal"],
            # The end of the journal, filled in when the last line is written: with it, anybody can tell whether it was cut.
            "journal_head": {},
            "control_plane": control_plane(plan.get("url") or ""),
        },
        "certificates": list(rows),
    }
    return {**made, "progress": progress_points(made, words), "headline": headline(made, words), "tone": tone(made, words)}
