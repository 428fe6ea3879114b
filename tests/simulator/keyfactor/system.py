# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other calls: the probe of the clients, certificate collections, and the publication of CRLs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exchange import Answer, BadBody, Call
from ..routes import Routes
from .certificates import matching, page, parameters, selected, stamp
from .objects import Collection
from .query import Field, by_name, compile_query

if TYPE_CHECKING:
    from .part import Keyfactor

ROUTES: Routes[Keyfactor] = Routes()


@ROUTES.add("GET", "/status/endpoints")
def endpoints(keyfactor: Keyfactor, dummy: Call) -> Answer:
    """An array of strings; the Go clients call it once before anything else."""
    return keyfactor.reply(keyfactor.endpoints)


def _to_json(keyfactor: Keyfactor, collection: Collection) -> dict[str, Any]:
    common = {
        "Id": collection.id, "Name": collection.name, "Description": collection.description, "Automated": False, "Content": collection.content,
        "DuplicationField": 0, "ShowOnDashboard": False, "Favorite": False,
    }
    if not keyfactor.switches.at_least("25"):
        return common
    return {**common, "EstimatedCertCount": len(matching(keyfactor, collection.content)), "LastEstimated": stamp(keyfactor.clock.now())}


@ROUTES.add("GET", "/certificatecollections")
def collections(keyfactor: Keyfactor, call: Call) -> Answer:
    """Those that the caller may read."""
    given = parameters(keyfactor, call)
    fields: dict[str, Field[Collection]] = by_name([
        Field("Id", "number", lambda item: item.id), Field("Name", "text", lambda item: item.name),
        Field("Description", "text", lambda item: item.description), Field("Content", "text", lambda item: item.content),
    ])
    readable = [item for item in keyfactor.collections.values() if keyfactor.may(call, "read", item)]
    found = selected(readable, compile_query(given.get("querystring", ""), fields, keyfactor.clock.now()))
    items, total = page(keyfactor, given, found, fields, "Id")
    return keyfactor.reply([_to_json(keyfactor, item) for item in items], total=total)


@ROUTES.add("GET", r"/certificatecollections/(?P<collection>[^/]+)")
def collection_by_id_or_name(keyfactor: Keyfactor, call: Call) -> Answer:
    wanted = call.args["collection"]
    for collection in keyfactor.collections.values():
        if wanted in (str(collection.id), collection.name.lower()):
            if not keyfactor.may(call, "read", collection):
                raise keyfactor.forbidden(call, f"/certificates/collections/read/{collection.id}/")
            return keyfactor.reply(_to_json(keyfactor, collection))
    raise keyfactor.missing("Certificate Collection", wanted)


@ROUTES.add("POST", "/certificateauthority/publishcrl", mutates=True)
def publish_crl(keyfactor: Keyfactor, call: Call) -> Answer:
    body = keyfactor.body(call)
    logical, host = body.get("certificateauthoritylogicalname"), body.get("certificateauthorityhostname")
    if not logical:
        raise BadBody("The CertificateAuthorityLogicalName field is required.")
    for name in keyfactor.authorities:
        its_host, dummy, its_logical = name.rpartition("\\")
        if its_logical == logical and host in (None, "", its_host):
            keyfactor.publish(name)
            call.target, call.effect = name, "publish"
            return keyfactor.reply(None, status=204)
    raise keyfactor.missing("Certificate Authority", logical)
