# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one machine behind every action module: observe, plan, gate, apply, confirm, over 1..N targets.

The whole list is observed and planned before the first write. After a write whose answer was lost, the engine looks again before it
does anything else. It knows no vendor; an :class:`Operation` does.
"""

from __future__ import annotations

import abc
import collections
import dataclasses
import hashlib
import json
import re
import threading
import time
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AnswerLostError,
    BusyError,
    RemediationError,
)
from ansible_collections.certops.remediation.plugins.module_utils.host_lock import HostLock
from ansible_collections.certops.remediation.plugins.module_utils.journal import Journal
from ansible_collections.certops.remediation.plugins.module_utils.options import check_range
from ansible_collections.certops.remediation.plugins.module_utils.pacing import backoff
from ansible_collections.certops.remediation.plugins.module_utils.parallel import in_parallel
from ansible_collections.certops.remediation.plugins.module_utils.transport import Transport

UNCHANGED = "unchanged"
PLANNED = "planned"
APPLIED = "applied"
PENDING = "pending"
REFUSED = "refused"
FAILED = "failed"
UNKNOWN = "unknown"
NOT_ATTEMPTED = "not_attempted"
OUTCOMES = (UNCHANGED, PLANNED, APPLIED, PENDING, REFUSED, FAILED, UNKNOWN, NOT_ATTEMPTED)
FAILING = frozenset({REFUSED, FAILED, UNKNOWN, NOT_ATTEMPTED})

# Not an outcome: an operation's word that the step did not happen and may be tried again.
REPEAT = "repeat"

POLL_GROWTH = 1.5
POLL_CAP = 30.0
PROBLEMS_IN_MESSAGE = 5

Values = t.Mapping[str, t.Any]


class Target(t.Protocol):
    """One thing to act on, as the user named it."""

    @property
    def key(self) -> str:
        """The same for two ways of writing the same name."""

    @property
    def label(self) -> str:
        """As it is shown."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is to be done to one target.

    :param outcome: PLANNED, or the final word without any write: UNCHANGED, PENDING (in progress already), REFUSED, FAILED.
    :param action: the change in a few words; "none" without one.
    :param before: the fields that the module controls, as observed.
    :param after: the same fields as they are expected to be.
    :param reversible: how to undo it and until when, or that it cannot be undone.
    :param probe: only the call itself can tell whether there is anything to change; check mode cannot.
    :param idle: of a probe, the outcome when there is nothing to change.
    :param hidden: the vendor may not show afterwards whether it was done.
    """

    outcome: str
    message: str
    action: str = "none"
    before: Values = dataclasses.field(default_factory=dict)
    after: Values = dataclasses.field(default_factory=dict)
    reversible: str = ""
    probe: bool = False
    idle: str = UNCHANGED
    hidden: bool = False


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What became of one step.

    :param outcome: APPLIED, UNCHANGED, PENDING, FAILED, UNKNOWN or REPEAT.
    :param after: the fields of the plan as they are now; the planned ones when left out.
    :param changed: only where it does not follow from the outcome: a change that was made before something failed.
    :param final: still PENDING, but waiting any longer is not wanted: it is a person's turn.
    :param alone: REPEAT, and at once in a request of its own: another step of the same request may have spoilt it.
    :param vendor: further result keys of the vendor, in its own words.
    """

    outcome: str
    message: str
    after: Values | None = None
    changed: bool | None = None
    final: bool = False
    alone: bool = False
    vendor: Values = dataclasses.field(default_factory=dict)
    error: RemediationError | None = None


T = t.TypeVar("T", bound=Target)
S = t.TypeVar("S")


@dataclasses.dataclass
class Entry(t.Generic[T, S]):
    """One target on its way through the machine."""

    target: T
    state: S | None = None
    plan: Plan = dataclasses.field(default_factory=lambda: Plan(NOT_ATTEMPTED, ""))
    outcome: str = NOT_ATTEMPTED
    message: str = ""
    after: Values = dataclasses.field(default_factory=dict)
    changed: bool = False
    vendor: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    error: RemediationError | None = None
    lost: AnswerLostError | None = None
    expired: bool = False

    def take(self, verdict: Verdict) -> None:
        """Record what became of the step."""
        self.outcome = verdict.outcome
        self.message = verdict.message
        self.error = verdict.error
        self.vendor.update(verdict.vendor)
        if verdict.changed is not None:
            self.changed = verdict.changed
        elif verdict.outcome in (APPLIED, UNKNOWN):
            self.changed = True
        elif verdict.outcome == PENDING:
            self.changed = self.plan.outcome == PLANNED
        if verdict.after is not None:
            self.after = verdict.after
        else:
            self.after = self.plan.after if verdict.outcome in (APPLIED, PENDING) else self.plan.before

    def settle(self, verdict: Verdict) -> None:
        """Record how a pending step ended. Waiting changes nothing: it is this run's change only if this run asked for it, or did more meanwhile."""
        changed = self.changed or bool(verdict.changed)
        self.take(verdict)
        self.changed = changed
        if self.outcome == APPLIED and not changed:
            self.outcome = UNCHANGED

    def hold(self, outcome: str, message: str) -> None:
        """Stop here without a write."""
        self.outcome, self.message, self.after, self.changed = outcome, message, self.plan.before, False

    @property
    def fails(self) -> bool:
        """Whether this target fails the task."""
        return self.outcome in FAILING or self.expired


class Operation(abc.ABC, t.Generic[T, S]):
    """What a module knows about one vendor's write call. ``S`` is its record of the observed state.

    :cvar name: the module's name; part of the plan digest.
    :cvar noun: what one target is.
    :cvar scope: what the keys of targets are unique within, besides the vendor's address.
    :cvar batch_size: how many steps one request may carry.
    :cvar late_effect_seconds: for how long the vendor may still be at work on a request whose answer was lost. Until then a step that seems not to
        have happened is looked at again instead of being repeated; 0 where a repeat does no harm.
    """

    name: str
    noun: str = "certificate"
    scope: str = ""
    batch_size: int = 1
    late_effect_seconds: float = 0.0
    transport: Transport

    @abc.abstractmethod
    def observe(self, targets: t.Sequence[T]) -> t.Sequence[S | RemediationError]:
        """The vendor's state of each target, by safe requests only; an error in place of a state that cannot be read."""

    @abc.abstractmethod
    def identity(self, state: S) -> str:
        """The vendor's own name of the observed object: the same for two targets that are one object."""

    @abc.abstractmethod
    def plan(self, target: T, state: S) -> Plan:
        """The decision table. Pure: no request, no clock."""

    @abc.abstractmethod
    def apply(self, entries: t.Sequence[Entry[T, S]]) -> t.Sequence[Verdict]:
        """Exactly one changing request for up to ``batch_size`` steps.

        :raises AnswerLostError: the request may have been processed.
        :raises RemediationError: the vendor refused it; nothing was changed.
        """

    @abc.abstractmethod
    def resolve(self, entry: Entry[T, S], state: S) -> Verdict:
        """The answer was lost and this is what is seen now: was the step done (APPLIED, PENDING), is it safe to do it (REPEAT), or UNKNOWN?"""

    @abc.abstractmethod
    def settle(self, entry: Entry[T, S], state: S) -> Verdict:
        """The step is pending and this is what is seen now: still PENDING, or how it ended. Called from several threads, and never in check mode."""

    def poll(self, targets: t.Sequence[T]) -> t.Sequence[S | RemediationError]:
        """Like ``observe``, for targets that are pending; an operation may know a cheaper way to see whether they have settled."""
        return self.observe(targets)

    def look_again(self, targets: t.Sequence[T]) -> t.Sequence[S | RemediationError]:
        """Like ``observe``, for targets in doubt; an operation may know a surer way."""
        return self.observe(targets)

    def describe(self, state: S) -> Values:
        """The vendor's own ids of the object, for the result."""
        return {}


class Engine(t.Generic[T, S]):
    """Runs one operation over its targets.

    :param params: the batch and wait options.
    :param check_mode: stop after the gate.
    :param warn: called with one line for what the user should know though nothing failed.
    """

    def __init__(self, operation: Operation[T, S], params: Values, *, check_mode: bool, warn: t.Callable[[str], None]) -> None:
        check_range(params, "max_changes", 0)
        check_range(params, "stop_after_failures", 1)
        check_range(params, "wait_timeout", 1, 7 * 86400)
        check_range(params, "wait_interval", 1, 3600)
        self._operation = operation
        self._params = params
        self._check_mode = check_mode
        self._warn = warn
        self._journal: Journal | None = None
        self._held: HostLock | None = None
        self._stopped: str | None = None
        self._failures = 0
        self._lock = threading.Lock()

    def run(self, targets: t.Sequence[T]) -> dict[str, t.Any]:
        """The result of the task, with ``failed`` and ``msg``.

        :raises RemediationError: nothing can be said about any target: wrong credentials, no connection, wrong options. Nothing was written.
        """
        if self._params.get("journal_path") and not self._check_mode:
            self._journal = Journal(self._params["journal_path"])
        self._held = None if self._check_mode else HostLock()
        try:
            entries = [Entry[T, S](target) for target in targets]
            unique = self._observe_and_plan(entries)
            digest = self._digest(unique)
            self._gate(unique, digest)
            planned = [entry for entry in unique if entry.outcome == PLANNED]
            if self._check_mode:
                for entry in planned:
                    if entry.plan.probe:
                        entry.take(Verdict(entry.plan.idle, f"{entry.message}; only the call itself can tell, so check mode cannot", changed=False))
                    else:
                        entry.changed, entry.after = True, entry.plan.after
            else:
                self._apply(planned)
                if self._params.get("wait"):
                    self._wait([entry for entry in unique if entry.outcome == PENDING])
            return self._result(entries, digest)
        finally:
            if self._held:
                self._held.close()
            if self._journal:
                self._journal.close()

    # -- observe and plan ------------------------------------------------------------------------------------------------------------

    def _observe_and_plan(self, entries: t.Sequence[Entry[T, S]]) -> list[Entry[T, S]]:
        """Fill state and plan in; the entries to act on: of several that are one object, only the first."""
        by_key: dict[str, Entry[T, S]] = {}
        for entry in entries:
            by_key.setdefault(entry.target.key, entry)
        by_identity: dict[str, Entry[T, S]] = {}
        observed = []
        for entry in by_key.values():
            if self._hold(entry.target):
                observed.append(entry)
            else:
                entry.plan = Plan(REFUSED, "another task on this machine is at work on it; run this one again when that has ended")
                entry.hold(entry.plan.outcome, entry.plan.message)
                by_identity[f"held:{entry.target.key}"] = entry
        for entry, state in zip(observed, self._operation.observe([entry.target for entry in observed])):
            if isinstance(state, RemediationError):
                entry.plan = Plan(FAILED, state.message)
                entry.error = state
                by_identity.setdefault(f"key:{entry.target.key}", entry)
            else:
                entry.state = state
                entry.plan = self._operation.plan(entry.target, state)
                entry.vendor.update(self._operation.describe(state))
                by_identity.setdefault(f"id:{self._operation.identity(state)}", entry)
            entry.hold(entry.plan.outcome, entry.plan.message)
        unique = list(by_identity.values())
        acting = set(map(id, unique))
        repeated = [entry for entry in entries if id(entry) not in acting]
        for entry in repeated:
            entry.plan = Plan(UNCHANGED, "")
            entry.hold(UNCHANGED, "listed more than once; see the first one")
        if repeated:
            self._warn(f"{len(repeated)} of {len(entries)} {self._operation.noun}s are listed more than once; each is acted on once")
        return unique

    def _hold(self, target: T) -> bool:
        """Whether the target is ours until the task ends. Two tasks that look at the same moment would both find nothing done and both do it."""
        operation = self._operation
        return self._held is None or self._held.take(f"{operation.transport.settings.base_url} {operation.name} {operation.scope} {target.key}")

    def _digest(self, entries: t.Sequence[Entry[T, S]]) -> str:
        """A fingerprint of what would be done to what, and where: the same for the same plan, in whatever order it was listed."""
        steps = sorted(
            [self._operation.identity(entry.state), entry.plan.action] for entry in entries if entry.outcome == PLANNED and entry.state is not None
        )
        plan = [self._operation.name, self._operation.transport.settings.base_url, steps]
        return "sha256:" + hashlib.sha256(json.dumps(plan, separators=(",", ":")).encode("utf-8")).hexdigest()

    # -- gate ------------------------------------------------------------------------------------------------------------------------

    def _gate(self, entries: t.Sequence[Entry[T, S]], digest: str) -> None:
        """Refuse before the first write."""
        planned = [entry for entry in entries if entry.outcome == PLANNED]
        if not planned:
            return
        bad = [entry for entry in entries if entry.fails]
        approved = self._params.get("plan_digest")
        limit = self._params.get("max_changes")
        if approved and approved != digest:
            outcome, reason = REFUSED, f"plan_digest: the plan is now {digest}, approved was {approved}; run with --check again and approve that plan"
        elif limit is not None and len(planned) > limit:
            outcome, reason = REFUSED, f"max_changes: the plan would change {len(planned)} {self._operation.noun}s, at most {limit} are allowed"
        elif bad and not self._params.get("continue_on_error"):
            outcome, reason = NOT_ATTEMPTED, (
                f"nothing was written, because {len(bad)} of {len(entries)} {self._operation.noun}s cannot be acted on; mend or remove them, or set "
                "continue_on_error=true to act on the others"
            )
        else:
            return
        for entry in planned:
            entry.hold(outcome, reason)

    # -- apply -----------------------------------------------------------------------------------------------------------------------

    def _apply(self, entries: t.Sequence[Entry[T, S]]) -> None:
        size = self._operation.batch_size
        batches = [entries[start : start + size] for start in range(0, len(entries), size)]
        in_parallel(self._apply_batch, batches, self._operation.transport.settings.concurrency)

    def _apply_batch(self, batch: t.Sequence[Entry[T, S]]) -> None:
        """One batch to its verdicts; what may be repeated is repeated with back-off while the retry budget lasts."""
        deadline = time.monotonic() + self._operation.transport.settings.retry_timeout
        remaining = list(batch)
        attempt = 0
        while remaining:
            with self._lock:
                stopped = self._stopped
            if stopped:
                for entry in remaining:
                    entry.hold(NOT_ATTEMPTED, stopped)
                return
            attempt += 1
            if attempt > 1:
                self._plan_again(remaining)
            self._attempt([entry for entry in remaining if entry.outcome in (PLANNED, REPEAT)])
            delay = backoff(attempt)
            if time.monotonic() + delay > deadline:
                for entry in remaining:
                    if entry.outcome == REPEAT:
                        # The request whose answer was lost may have done it, and nothing shows that.
                        outcome = UNKNOWN if entry.lost and (entry.plan.probe or entry.plan.hidden) else FAILED
                        entry.take(Verdict(outcome, f"{entry.message}; gave up after {attempt} tries", error=entry.error))
            self._record([entry for entry in remaining if entry.outcome != REPEAT])
            remaining = [entry for entry in remaining if entry.outcome == REPEAT]
            if remaining:
                self._operation.transport.pacer.wait(delay)

    def _plan_again(self, entries: t.Sequence[Entry[T, S]]) -> None:
        """Somebody else may have been at work since: what is tried again must still be what was planned."""
        try:
            states = self._operation.observe([entry.target for entry in entries])
        except RemediationError as error:
            states = [error] * len(entries)
        for entry, state in zip(entries, states):
            if isinstance(state, RemediationError):
                entry.take(Verdict(FAILED, f"{entry.message}; looking at it again failed: {state.message}", error=state))
                continue
            if entry.lost:
                verdict = self._operation.resolve(entry, state)
                if verdict.outcome != REPEAT:
                    entry.take(verdict)
                    continue
            plan = self._operation.plan(entry.target, state)
            if plan.outcome == PLANNED and plan.action == entry.plan.action:
                entry.state = state
            else:
                entry.plan = dataclasses.replace(plan, action=entry.plan.action)
                entry.hold(plan.outcome if plan.outcome != PLANNED else REFUSED, f"{plan.message} (it has changed since it was planned)")

    def _attempt(self, batch: t.Sequence[Entry[T, S]]) -> None:
        """One changing request, and what became of each of its steps."""
        verdicts: t.Sequence[Verdict]
        if not batch:
            return
        try:
            self._write_journal("intent", batch)
            verdicts = self._operation.apply(batch)
        except AnswerLostError as lost:
            verdicts = self._look_again(batch, lost)
        except BusyError as busy:
            verdicts = [Verdict(REPEAT, busy.message, error=busy)] * len(batch)
        except RemediationError as error:
            verdicts = [Verdict(FAILED, error.message, error=error)] * len(batch)
        if len(verdicts) != len(batch):
            raise ValueError(f"{self._operation.name} gave {len(verdicts)} verdicts on {len(batch)} steps")
        for entry, verdict in zip(batch, verdicts):
            entry.take(verdict)
        for entry, verdict in zip(batch, verdicts):
            if verdict.outcome == REPEAT and verdict.alone and len(batch) > 1:
                self._attempt([entry])
                if (entry.error and entry.error.fatal) or self._too_many_failed(batch):
                    break

    def _too_many_failed(self, batch: t.Sequence[Entry[T, S]]) -> bool:
        """Whether those of a batch that have failed so far are enough to leave the rest."""
        limit = self._params.get("stop_after_failures")
        with self._lock:
            return limit is not None and self._failures + sum(entry.outcome in (FAILED, UNKNOWN) for entry in batch) >= limit

    def _look_again(self, batch: t.Sequence[Entry[T, S]], lost: AnswerLostError) -> list[Verdict]:
        """The answer was lost: only what the vendor shows now decides."""
        for entry in batch:
            entry.lost = lost
        patience = time.monotonic() + self._operation.late_effect_seconds
        attempt = 0
        while True:
            verdicts = self._read_back(batch, lost)
            attempt += 1
            left = patience - time.monotonic()
            if left <= 0 or not any(verdict.outcome in (REPEAT, UNKNOWN) for verdict in verdicts):
                return verdicts
            self._operation.transport.pacer.wait(min(backoff(attempt), left))

    def _read_back(self, batch: t.Sequence[Entry[T, S]], lost: AnswerLostError) -> list[Verdict]:
        try:
            states = self._operation.look_again([entry.target for entry in batch])
        except RemediationError as error:
            states = [error] * len(batch)
        verdicts = []
        for entry, state in zip(batch, states):
            if isinstance(state, RemediationError):
                message = f"{lost.message}. Whether it was done is not known, because reading it back failed too ({state.message}); run the task again to see"
                verdicts.append(Verdict(UNKNOWN, message, error=lost))
            else:
                verdicts.append(self._operation.resolve(entry, state))
        return verdicts

    def _record(self, done: t.Sequence[Entry[T, S]]) -> None:
        """Write the outcomes down and decide whether the rest of the task may go on."""
        errors = [entry.error for entry in done if entry.error and entry.outcome in (FAILED, UNKNOWN)]
        try:
            self._write_journal("outcome", done)
        except RemediationError as error:
            # What was done stays done and is in the result; without a record nothing more is begun.
            self._warn(error.message)
            errors.append(error)
        limit = self._params.get("stop_after_failures")
        with self._lock:
            self._failures += sum(entry.outcome in (FAILED, UNKNOWN) for entry in done)
            fatal = next((error for error in errors if error.fatal), None)
            if self._stopped is None and fatal:
                self._stopped = f"not attempted, because every further one would fail in the same way: {fatal.message}"
            elif self._stopped is None and limit is not None and self._failures >= limit:
                self._stopped = f"not attempted, because {self._failures} failed and stop_after_failures is {limit}"

    def _write_journal(self, event: str, entries: t.Sequence[Entry[T, S]]) -> None:
        if not self._journal or not entries:
            return
        lines: list[Values] = []
        for entry in entries:
            line: dict[str, t.Any] = {"event": event, "module": self._operation.name, "target": entry.target.label, **entry.vendor, "action": entry.plan.action}
            if event == "intent":
                line.update(before=entry.plan.before, planned=entry.plan.after)
            else:
                line.update(outcome=entry.outcome, changed=entry.changed, after=entry.after, message=entry.message)
            lines.append(line)
        self._journal.write(lines)

    # -- confirm ---------------------------------------------------------------------------------------------------------------------

    def _wait(self, waiting: list[Entry[T, S]]) -> None:
        """Poll what is pending until it has settled or the time is up."""
        deadline = time.monotonic() + self._params["wait_timeout"]
        interval = float(self._params["wait_interval"])
        pause = 0.0
        ended = f"still so when wait_timeout ({self._params['wait_timeout']} s) was over"
        while waiting:
            self._operation.transport.pacer.wait(pause)
            try:
                waiting = self._look(waiting)
            except RemediationError as error:
                # What was done before stays in the result; only how it went on is not known.
                ended = f"cannot be followed any further: {error.message}"
                break
            left = deadline - time.monotonic()
            if left <= 0:
                break
            pause = min(interval, left)
            interval = min(interval * POLL_GROWTH, max(POLL_CAP, interval))
        for entry in (entry for entry in waiting if entry.outcome == PENDING):
            entry.expired = True
            entry.message = f"{entry.message}; {ended}"

    def _look(self, waiting: t.Sequence[Entry[T, S]]) -> list[Entry[T, S]]:
        """One look at everything that is pending; what is still worth waiting for."""

        def settle(observed: tuple[Entry[T, S], S | RemediationError]) -> Verdict | RemediationError | None:
            entry, state = observed
            try:
                return None if isinstance(state, RemediationError) else self._operation.settle(entry, state)
            except RemediationError as error:
                # What has become of the others is recorded first.
                return error

        settled: list[Entry[T, S]] = []
        still: list[Entry[T, S]] = []
        failure: RemediationError | None = None
        observed = list(zip(waiting, self._operation.poll([entry.target for entry in waiting])))
        for entry, verdict in zip(waiting, in_parallel(settle, observed, self._operation.transport.settings.concurrency)):
            if isinstance(verdict, Verdict):
                entry.settle(verdict)
                (still if entry.outcome == PENDING and not verdict.final else settled).append(entry)
            else:
                still.append(entry)
                failure = failure or verdict
        self._write_journal("outcome", settled)
        if failure:
            raise failure
        return still

    # -- result ----------------------------------------------------------------------------------------------------------------------

    def _result(self, entries: t.Sequence[Entry[T, S]], digest: str) -> dict[str, t.Any]:
        counts = collections.Counter(entry.outcome for entry in entries)
        shown = [entry for entry in entries if entry.changed]
        return {
            "changed": any(entry.changed for entry in entries),
            "failed": any(entry.fails for entry in entries),
            "msg": self._message(entries, counts, digest),
            "url": self._operation.transport.settings.base_url,
            "plan_digest": digest,
            "summary": {outcome: counts[outcome] for outcome in OUTCOMES},
            "http": self._operation.transport.statistics(),
            "targets": [_entry_result(entry) for entry in entries],
            "diff": {
                "before": {entry.target.label: dict(entry.plan.before) for entry in shown},
                "after": {entry.target.label: dict(entry.after) for entry in shown},
            },
        }

    def _message(self, entries: t.Sequence[Entry[T, S]], counts: t.Mapping[str, int], digest: str) -> str:
        told = ", ".join(f"{counts[outcome]} {outcome.replace('_', ' ')}" for outcome in OUTCOMES if counts[outcome])
        text = f"{len(entries)} {self._operation.noun}{'' if len(entries) == 1 else 's'}: {told or 'nothing to do'}."
        if self._check_mode:
            text += f" plan_digest is {digest}."
        # What was not attempted has one cause, which the others of this list tell.
        problems = [entry for entry in entries if entry.fails and entry.outcome != NOT_ATTEMPTED] or [entry for entry in entries if entry.fails]
        lines: dict[str, list[str]] = {}
        for entry in problems:
            # The vendor names the object in its text, which would make every text another one. A short number may be any number.
            label = entry.target.label
            message = entry.message if label.isdecimal() and len(label) < 6 else re.sub(rf"(?<!\w){re.escape(label)}(?!\w)", "it", entry.message)
            lines.setdefault(f"{entry.outcome}: {message}", []).append(entry.target.label)
        for line, labels in list(lines.items())[:PROBLEMS_IN_MESSAGE]:
            more = f" and {len(labels) - 1} more" if len(labels) > 1 else ""
            text += f"\n{labels[0]}{more}: {line}"
        if len(lines) > PROBLEMS_IN_MESSAGE:
            text += f"\n... and {len(lines) - PROBLEMS_IN_MESSAGE} more kinds of problems; see targets"
        return text


def _entry_result(entry: Entry[t.Any, t.Any]) -> dict[str, t.Any]:
    return {
        **entry.vendor,
        "target": entry.target.label,
        "action": entry.plan.action,
        "changed": entry.changed,
        "outcome": entry.outcome,
        "before": dict(entry.plan.before),
        "after": dict(entry.after),
        "message": entry.message,
        "timed_out": entry.expired,
        "reversible": entry.plan.reversible,
        "request_ids": [entry.error.request_id] if entry.error and entry.error.request_id else [],
        "error": entry.error.as_result() if entry.error else None,
    }
