# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Web SDK's other calls: what clients ask for at login, and the log."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from ..clock import iso
from ..exchange import Answer, Call, not_found
from ..routes import Routes
from .tokens import FULL_SCOPE, Grant

if TYPE_CHECKING:
    from .part import Tpp

ROUTES: Routes[Tpp] = Routes()


@ROUTES.add("GET", "/vedsdk")
def ping(dummy: Tpp, call: Call) -> Answer:  # pylint: disable=unused-argument
    """VCERT's Ping wants a 200."""
    return Answer.text("", content_type="text/html; charset=utf-8")


@ROUTES.add("GET", "/vedsdk/systemstatus/version", scope="any")
def version(tpp: Tpp, dummy: Call) -> Answer:
    """pyVenafi parses it at login (PYV)."""
    return Answer.json({"Version": tpp.switches.version})


@ROUTES.add("GET", "/vedsdk/identity/self", scope="any")
def identity_self(tpp: Tpp, call: Call) -> Answer:
    """VCERT asks after its login."""
    user = tpp.grants.users[call.user.lower()]
    identity = {
        "FullName": f"\\VED\\Identity\\{user.name}",
        "Name": user.name,
        "Prefix": "local",
        "PrefixedName": f"local:{user.name}",
        "PrefixedUniversal": user.identity,
        "Type": 1,
        "Universal": user.guid,
    }
    return Answer.json({"Identities": [identity]})


@ROUTES.add("POST", "/vedsdk/metadata/getitemsforclass", scope="any")
def custom_fields(dummy: Tpp, call: Call) -> Answer:  # pylint: disable=unused-argument
    """No custom fields are defined; VPS asks for three classes at login."""
    return Answer.json({"Items": [], "Locked": False, "Result": 0})


@ROUTES.add("POST", "/vedsdk/log", scope="any")
def write_log(tpp: Tpp, call: Call) -> Answer:
    """0: stored, 1: not stored (PYV)."""
    if not isinstance(call.fields.get("ID"), int):
        return Answer.json({"LogResult": 1})
    tpp.log.append({**call.fields, "ServerTimestamp": iso(tpp.clock.now())})
    return Answer.json({"LogResult": 0})


@ROUTES.add("GET", "/vedsdk/log", scope="any")
def read_log(tpp: Tpp, call: Call) -> Answer:
    """Newest first; filters by equality."""
    wanted = {name.lower(): value for name, value in call.query}
    limit = wanted.pop("limit", "")
    events = [event for event in reversed(tpp.log) if _agrees(event, wanted)]
    return Answer.json({"LogEvents": events[: int(limit) if limit.isdigit() else 100]})


def _agrees(event: dict[str, Any], wanted: dict[str, str]) -> bool:
    """Names that the event does not have, such as the times, do not filter."""
    values = {name.lower(): str(value) for name, value in event.items()}
    return all(values.get(name, value) == value for name, value in wanted.items())


@ROUTES.add("POST", "/vedsdk/authorize")
def legacy_login(tpp: Tpp, call: Call) -> Answer:
    """The API key of old: removed in 26.1 (VCERT-T skip notes)."""
    if tpp.switches.at_least("26.1"):
        return not_found()
    user = tpp.grants.users.get(str(call.fields.get("Username")).lower())
    if user is None or user.password != call.fields.get("Password"):
        return Answer.json({"Error": "Username/password combination not valid"}, 401)
    now = tpp.clock.now()
    key = str(uuid.uuid4())
    tpp.api_keys[key] = Grant(user.name, "", FULL_SCOPE, now, now, expires=now + 900)
    call.effect = "grant"
    return Answer.json({"APIKey": key, "ValidUntil": f"/Date({int(now + 900) * 1000})/"})
