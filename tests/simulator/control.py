# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API: state, scenarios, faults, clock, journal and settings over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .exchange import Answer, BadBody, Call

if TYPE_CHECKING:
    from .server import Simulator

PREFIX = "/_control"


def control(simulator: Simulator, call: Call) -> Answer:
    """Serve ``/_control/<what>``; a mistake in a request is a 400 that says what is wrong."""
    what, dummy, action = call.path[len(PREFIX):].strip("/").partition("/")
    with simulator.lock:
        try:
            result = _serve(simulator, call.method, what, action, call)
        except KeyError as error:
            return Answer.json({"error": f"missing or unknown: {error.args[0]}"}, 400)
        except (BadBody, TypeError, ValueError) as error:
            return Answer.json({"error": str(error)}, 400)
    if result is None:
        return Answer.json({"error": f"no control call {call.method} {call.path}"}, 404)
    return Answer.json(result)


def _serve(simulator: Simulator, method: str, what: str, action: str, call: Call) -> Any:
    if (method, what) == ("GET", "state"):
        return _state(simulator)
    if (method, what) == ("GET", "leaks"):
        return simulator.leaks.dump()
    if (method, what) == ("POST", "reset"):
        simulator.reset(call.fields.get("scenario"), call.fields.get("settings"), float(call.fields.get("scale", 1)))
        return _state(simulator)
    if (method, what) == ("POST", "stop") and simulator.on_stop is not None:
        simulator.on_stop()
        return {"ok": True}
    if (method, what) == ("POST", "clock"):
        return {"now": simulator.clock.advance(float(call.fields["advance"]))}
    if what == "settings" and method in ("GET", "POST"):
        return simulator.configure(call.fields if method == "POST" else {})
    if what == "journal" and method in ("GET", "DELETE"):
        entries = list(simulator.journal)
        if method == "DELETE":
            simulator.records.clear()
        return entries
    if what == "faults" and method in ("GET", "POST", "DELETE"):
        if method == "POST":
            simulator.faults.add(**call.fields)
        elif method == "DELETE":
            simulator.faults.clear()
        return simulator.faults.dump()
    for vendor in simulator.vendors:
        if (method, what) == ("POST", vendor.name):
            return vendor.control(action, call.fields)
    return None


def _state(simulator: Simulator) -> dict[str, Any]:
    scenario = simulator.scenario if not isinstance(simulator.scenario, dict) else "(inline)"
    return {
        "scenario": str(scenario),
        "now": simulator.clock.now(),
        "requests": simulator.records.count,
        "faults": len(simulator.faults.active),
        **{vendor.name: vendor.state() for vendor in simulator.vendors},
    }
