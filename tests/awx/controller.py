# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API of AWX, as far as the modules of awx.awx use it to set objects up: lists, look-ups by name, create, change, link, remove.

It refuses what AWX refuses, and what it answers is what the modules compare with, so that a second run is unchanged here for the same reasons as there.
Jobs are not run; see jobs.py for that.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.awx import rules

PAGE = 25
TOKEN, USER, PASSWORD = "stand-in-token", "admin", "stand-in-password"
JOB_TEMPLATES = ("job_templates", "workflow_job_templates", "projects", "workflow_approval_templates")
# Every field that can be written, with the value that it has when it was not given. What is not here, AWX ignores.
PROMPTS = {f"ask_{name}_on_launch": False for name in ("variables", "inventory", "limit", "scm_branch", "labels", "tags", "skip_tags")}
FIELDS: dict[str, dict[str, Any]] = {
    "organizations": {"name": "", "description": ""},
    "credential_types": {"name": "", "description": "", "kind": "", "inputs": {}, "injectors": {}, "managed": False},
    "credentials": {"name": "", "description": "", "organization": None, "credential_type": None, "inputs": {}},
    "execution_environments": {"name": "", "description": "", "image": "", "pull": "", "organization": None, "credential": None},
    "projects": {
        "name": "", "description": "", "organization": None, "scm_type": "", "scm_url": "", "scm_branch": "", "scm_refspec": "", "scm_clean": False,
        "scm_update_on_launch": False, "allow_override": False, "default_environment": None, "credential": None, "timeout": 0,
    },
    "inventories": {"name": "", "description": "", "organization": None, "kind": "", "host_filter": None, "variables": ""},
    "hosts": {"name": "", "description": "", "inventory": None, "enabled": True, "variables": ""},
    "job_templates": {
        "name": "", "description": "", "organization": None, "project": None, "inventory": None, "playbook": "", "job_type": "run", "extra_vars": "",
        "execution_environment": None, "forks": 0, "limit": "", "verbosity": 0, "job_tags": "", "skip_tags": "", "timeout": 0, "diff_mode": False,
        "job_slice_count": 1, "allow_simultaneous": False, "survey_enabled": False, "become_enabled": False, "scm_branch": "", **PROMPTS,
    },
    "workflow_job_templates": {
        "name": "", "description": "", "organization": None, "extra_vars": "", "survey_enabled": False, "allow_simultaneous": False, "inventory": None,
        "limit": "", "scm_branch": "", "job_tags": "", "skip_tags": "", **PROMPTS,
    },
    "workflow_job_template_nodes": {
        "identifier": "", "workflow_job_template": None, "unified_job_template": None, "extra_data": {}, "all_parents_must_converge": False,
    },
    "workflow_approval_templates": {"name": "", "description": "", "timeout": 0},
    "schedules": {"name": "", "description": "", "unified_job_template": None, "rrule": "", "enabled": True, "extra_data": {}},
}  # fmt: skip
LINKS = {
    "job_templates": {"credentials": "credentials"},
    "workflow_job_template_nodes": {f"{kind}_nodes": "workflow_job_template_nodes" for kind in ("success", "failure", "always")},
}
# What else goes when an object goes: the list, and its field that names the object.
BELOW = {
    "inventories": [("hosts", "inventory")],
    "workflow_job_templates": [("workflow_job_template_nodes", "workflow_job_template"), ("schedules", "unified_job_template")],
    "job_templates": [("schedules", "unified_job_template")],
}


class Denied(Exception):
    """Answered with a status and a detail."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class Controller:
    """The objects, and what may be done to them.

    :param journal: a line for each request: method, path and status.
    """

    def __init__(self) -> None:
        self.objects: dict[str, dict[int, dict[str, Any]]] = {kind: {} for kind in FIELDS}
        self.surveys: dict[tuple[str, int], dict[str, Any]] = {}
        self.links: dict[tuple[str, int, str], list[int]] = {}
        self.journal: list[tuple[str, str, int]] = []
        self.lock = threading.RLock()
        self._last = 0
        self.create("organizations", {"name": "Default"})

    # -- what tests look at and change --

    def named(self, kind: str, name: str) -> dict[str, Any]:
        return next(entry for entry in self.objects[kind].values() if entry["name"] == name)

    def names(self, kind: str) -> list[str]:
        return [entry["name"] for entry in self.objects[kind].values()]

    def writes(self) -> list[tuple[str, str, int]]:
        return [entry for entry in self.journal if entry[0] != "GET" and not entry[1].endswith("/tokens/")]

    # -- what the API does --

    def create(self, kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
        entry = {**json.loads(json.dumps(FIELDS[kind])), **{name: value for name, value in given.items() if name in FIELDS[kind]}}
        self._check(kind, entry, None)
        # One row of numbers for all, as for what AWX calls unified job templates.
        self._last += 1
        entry["id"] = self._last
        self.objects[kind][self._last] = entry
        return entry

    def change(self, kind: str, number: int, given: Mapping[str, Any]) -> dict[str, Any]:
        before = self._get(kind, number)
        after = {**before, **{name: value for name, value in given.items() if name in FIELDS[kind]}}
        self._check(kind, after, before)
        self.objects[kind][number] = after
        return after

    def remove(self, kind: str, number: int) -> int:
        self._get(kind, number)
        if kind == "credential_types" and any(entry["credential_type"] == number for entry in self.objects["credentials"].values()):
            raise Denied(403, "Credential types that are in use cannot be deleted.")
        for other, field in BELOW.get(kind, []):
            for below in [entry["id"] for entry in self.objects[other].values() if entry[field] == number]:
                self.remove(other, below)
        # An approval is a part of its node.
        if kind == "workflow_job_template_nodes" and self.objects[kind][number]["unified_job_template"] in self.objects["workflow_approval_templates"]:
            del self.objects["workflow_approval_templates"][self.objects[kind][number]["unified_job_template"]]
        for node in self.objects["workflow_job_template_nodes"].values() if kind in JOB_TEMPLATES else ():
            if node["unified_job_template"] == number:
                node["unified_job_template"] = None
        for members in self.links.values():
            if number in members:
                members.remove(number)
        del self.objects[kind][number]
        # An inventory is taken away in the background.
        return 202 if kind == "inventories" else 204

    def set_survey(self, kind: str, number: int, survey: dict[str, Any]) -> None:
        self._get(kind, number)
        rules.check_survey(survey)
        self.surveys[kind, number] = survey

    def link(self, kind: str, number: int, name: str, given: Mapping[str, Any]) -> None:
        self._get(kind, number)
        members = self.links.setdefault((kind, number, name), [])
        other = self._get(LINKS[kind][name], given["id"])
        if given.get("disassociate"):
            members.remove(other["id"])
        elif name == "credentials" and other["credential_type"] in [self.objects["credentials"][member]["credential_type"] for member in members]:
            raise rules.Refused({"error": f"Cannot assign multiple {self.objects['credential_types'][other['credential_type']]['name']} credentials."})
        else:
            members.append(other["id"])

    def make_approval(self, number: int, given: Mapping[str, Any]) -> dict[str, Any]:
        node = self._get("workflow_job_template_nodes", number)
        if node["unified_job_template"]:
            raise rules.Refused({"error": "This node already has a unified job template."})
        made = self.create("workflow_approval_templates", given)
        node["unified_job_template"] = made["id"]
        return made

    def _get(self, kind: str, number: int) -> dict[str, Any]:
        if number not in self.objects[kind]:
            raise Denied(404, "Not found.")
        return self.objects[kind][number]

    def _check(self, kind: str, entry: Mapping[str, Any], before: Mapping[str, Any] | None) -> None:
        unique = ("identifier", "workflow_job_template") if kind == "workflow_job_template_nodes" else ("name",)
        if kind == "hosts":
            unique = ("name", "inventory")
        if not entry[unique[0]]:
            raise rules.Refused({unique[0]: ["This field may not be blank."]})
        for other in self.objects[kind].values():
            if before is not other and kind != "workflow_approval_templates" and all(other[field] == entry[field] for field in unique):
                raise rules.Refused({"__all__": [f"{kind} with this {' and '.join(unique)} already exists."]})
        for field, place in (("organization", "organizations"), ("inventory", "inventories"), ("execution_environment", "execution_environments")):
            if entry.get(field) is not None and entry[field] not in self.objects[place]:
                raise rules.Refused({field: [f'Invalid pk "{entry[field]}" - object does not exist.']})
        check: Callable[[Mapping[str, Any], Mapping[str, Any] | None], None] | None = getattr(self, f"_check_{kind}", None)
        if check:
            check(entry, before)

    def _check_credential_types(self, entry: Mapping[str, Any], before: Mapping[str, Any] | None) -> None:
        rules.check_credential_type(entry)
        used = before and any(credential["credential_type"] == before["id"] for credential in self.objects["credentials"].values())
        if before and used and before["inputs"] != entry["inputs"]:
            raise Denied(403, "Modifications to inputs are not allowed for credential types that are in use")

    @staticmethod
    def _check_projects(entry: Mapping[str, Any], dummy_before: Mapping[str, Any] | None) -> None:
        if entry["scm_type"] == "git" and not entry["scm_url"]:
            raise rules.Refused({"scm_url": ["This field is required."]})

    def _check_job_templates(self, entry: Mapping[str, Any], dummy_before: Mapping[str, Any] | None) -> None:
        project = self.objects["projects"].get(entry["project"])
        if not project:
            raise rules.Refused({"project": ["This field is required."]})
        if not entry["inventory"]:
            raise rules.Refused({"inventory": ["Job Templates must have an inventory or allow prompting."]})
        # The playbooks of a project are files; a full name of a collection is none.
        if not project["allow_override"] and not entry["playbook"].endswith(".yml"):
            raise rules.Refused({"playbook": ["Playbook not found for project."]})
        if entry["extra_vars"] and not isinstance(json.loads(entry["extra_vars"]), dict):
            raise rules.Refused({"extra_vars": ["Must be a mapping."]})

    def _check_workflow_job_template_nodes(self, entry: Mapping[str, Any], dummy_before: Mapping[str, Any] | None) -> None:
        number = entry["unified_job_template"]
        if number is not None and not any(number in self.objects[kind] for kind in JOB_TEMPLATES):
            raise rules.Refused({"unified_job_template": [f'Invalid pk "{number}" - object does not exist.']})

    @staticmethod
    def _check_schedules(entry: Mapping[str, Any], dummy_before: Mapping[str, Any] | None) -> None:
        rules.check_rule(entry["rrule"])

    # -- how it answers --

    def shown(self, kind: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        url = f"/api/v2/{kind}/{entry['id']}/"
        related = {name: f"{url}{name}/" for name in [*LINKS.get(kind, {}), "survey_spec", "create_approval_template"]}
        if entry.get("unified_job_template"):
            owner = next(other for other in JOB_TEMPLATES if entry["unified_job_template"] in self.objects[other])
            related["unified_job_template"] = f"/api/v2/{owner}/{entry['unified_job_template']}/"
        extra: dict[str, Any] = {}
        if kind == "projects":
            # What was fetched from the repository; the update that a new project begins with has ended.
            extra = {"scm_revision": "0" * 40, "status": "successful"}
        return {**entry, **extra, "type": kind.removesuffix("s").replace("inventorie", "inventory"), "url": url, "related": related, "summary_fields": {}}

    def answer(self, method: str, path: str, query: Mapping[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        parts = [part for part in path.split("/") if part]
        kind, rest = parts[0], parts[1:]
        if kind == "tokens":
            return (201, {"id": 1, "token": TOKEN}) if method == "POST" else (204, None)
        if kind == "unified_job_templates":
            return self._list([self.shown(other, entry) for other in JOB_TEMPLATES for entry in self.objects[other].values()], path, query)
        if kind not in self.objects:
            raise Denied(404, "Not found.")
        if not rest:
            if method == "POST":
                return 201, self.shown(kind, self.create(kind, body))
            return self._list([self.shown(kind, entry) for entry in self.objects[kind].values()], path, query)
        number = int(rest[0])
        if rest[1:] == ["survey_spec"]:
            if method == "POST":
                self.set_survey(kind, number, body)
            return 200, self.surveys.get((kind, number), {})
        if rest[1:] == ["create_approval_template"]:
            return 201, self.shown("workflow_approval_templates", self.make_approval(number, body))
        if rest[1:]:
            if rest[1] not in LINKS.get(kind, {}):
                raise Denied(404, "Not found.")
            if method == "POST":
                self.link(kind, number, rest[1], body)
                return 204, None
            other = LINKS[kind][rest[1]]
            return self._list([self.shown(other, self.objects[other][member]) for member in self.links.get((kind, number, rest[1]), [])], path, query)
        if method == "DELETE":
            return self.remove(kind, number), None
        if method == "PATCH":
            return 200, self.shown(kind, self.change(kind, number, body))
        return 200, self.shown(kind, self._get(kind, number))

    @staticmethod
    def _list(entries: list[dict[str, Any]], path: str, query: Mapping[str, str]) -> tuple[int, Any]:
        conditions = {name: value for name, value in query.items() if name != "page"}
        wanted = [
            entry for entry in entries
            if all(str(entry.get(name)) == value for name, value in conditions.items() if not name.startswith("or__"))
            and (not any(name.startswith("or__") for name in conditions)
                 or any(str(entry.get(name[4:])) == value for name, value in conditions.items() if name.startswith("or__")))
        ]  # fmt: skip
        page = int(query.get("page", 1))
        more = {**conditions, "page": page + 1}
        following = f"/api/v2{path}?{urllib.parse.urlencode(more)}" if len(wanted) > page * PAGE else None
        return 200, {"count": len(wanted), "next": following, "previous": None, "results": wanted[(page - 1) * PAGE : page * PAGE]}


class StandIn:
    """Serves a controller on a port of its own until it is closed."""

    def __init__(self, port: int = 0) -> None:
        self.controller = Controller()
        self.server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self.controller))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.environment = {"CONTROLLER_HOST": self.url, "CONTROLLER_OAUTH_TOKEN": TOKEN}
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def wait(self) -> None:
        self._thread.join()

    def __exit__(self, *dummy_exception: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


def _handler(controller: Controller) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body are two writes; else the second waits for the client to acknowledge the first.
        disable_nagle_algorithm = True
        basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

        def _serve(self) -> None:
            address = urllib.parse.urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = re.sub(r"^/api/(controller/)?v2", "", address.path)
            with controller.lock:
                status, answer = self._answered(path, dict(urllib.parse.parse_qsl(address.query)), body)
                controller.journal.append((self.command, path, status))
            data = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.end_headers()
            self.wfile.write(data)

        def _answered(self, path: str, query: dict[str, str], body: bytes) -> tuple[int, Any]:
            if self.headers.get("Authorization") not in (f"Bearer {TOKEN}", self.basic):
                return 401, {"detail": "Authentication credentials were not provided. To establish a login session, visit /api/login/."}
            if not path.endswith("/"):
                return 404, {"detail": "Not found."}
            try:
                return controller.answer(self.command, path, query, json.loads(body or b"{}"))
            except rules.Refused as refused:
                return 400, refused.body
            except Denied as denied:
                return denied.status, {"detail": denied.detail}

        do_GET = do_POST = do_PATCH = do_DELETE = _serve

        def log_message(self, format: str, *args: object) -> None:
            """The journal tells it."""

    return Handler
