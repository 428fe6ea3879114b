# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that are the same everywhere, and their fallback to the environment.

An empty text is an unset one, in a task as in the environment: job templates inject empty strings for what nobody filled in.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import re
import typing as t
import urllib.parse

from ansible.module_utils.errors import AnsibleFallbackNotFound
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.pacing import RateLimit
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable
from ansible_collections.certops.remediation.plugins.module_utils.transport import HttpSettings

Spec = t.Dict[str, t.Dict[str, t.Any]]

MAX_CONCURRENCY = 64
MAX_WINDOW = 31 * 86400


def from_environment(*names: str) -> str:
    """The first non-empty variable of ``names``; an Ansible ``fallback``."""
    for name in names:
        value = os.environ.get(name, "").strip()
        if value:
            return value
    raise AnsibleFallbackNotFound


def unless_environment(*names: str) -> bool:
    """The opposite of the first non-empty boolean variable of ``names``: ``..._SKIP_VERIFY`` for ``validate_certs``."""
    try:
        return not boolean(from_environment(*names))
    except TypeError:
        # No boolean: as good as not set, which is the safe side.
        raise AnsibleFallbackNotFound from None


HTTP_OPTIONS: Spec = {
    "validate_certs": {"type": "bool", "default": True},
    "allow_http": {"type": "bool", "default": False},
    "ca_path": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "client_key_passphrase": {"type": "str", "no_log": True},
    "proxy": {"type": "str"},
    "timeout": {"type": "int", "default": 60},
    "retry_timeout": {"type": "int", "default": 120},
    "concurrency": {"type": "int", "default": 8},
    "rate_limits": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"requests": {"type": "int", "required": True}, "seconds": {"type": "float", "required": True}},
    },
}

BATCH_OPTIONS: Spec = {
    "max_changes": {"type": "int"},
    "plan_digest": {"type": "str"},
    "continue_on_error": {"type": "bool", "default": False},
    "stop_after_failures": {"type": "int"},
    "journal_path": {"type": "path"},
}

WAIT_OPTIONS: Spec = {
    "wait": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 600},
    "wait_interval": {"type": "int", "default": 5},
}


def merge(*specs: Spec) -> Spec:
    """One argument spec of several; a later one refines single keys of an earlier option."""
    merged: Spec = {}
    for spec in specs:
        for name, option in spec.items():
            merged[name] = {**merged.get(name, {}), **option}
    return merged


def unset_empty(params: t.Mapping[str, t.Any], spec: Spec) -> dict[str, t.Any]:
    """``params`` with empty strings turned into what the environment or the default says."""
    result = dict(params)
    for name, option in spec.items():
        if result.get(name) == "":
            try:
                fallback = option.get("fallback")
                result[name] = fallback[0](*fallback[1]) if fallback else option.get("default")
            except AnsibleFallbackNotFound:
                result[name] = option.get("default")
    return result


def expanded_path(text: str) -> str:
    """What Ansible makes of an option of type path, for a path inside a list of mappings."""
    return os.path.expanduser(os.path.expandvars(text))


def read_file(option: str, path: str) -> bytes:
    """What is in a file that an option names.

    :raises InputError: it cannot be read.
    """
    try:
        with open(path, "rb") as handle:
            return handle.read()
    except OSError as exc:
        raise InputError(option, f"{path!r} cannot be read ({exc.strerror})") from None


def check_range(params: t.Mapping[str, t.Any], name: str, low: float, high: float | None = None) -> None:
    """Refuse a number outside ``low`` to ``high``. An unset option is in range.

    :raises InputError: it is outside.
    """
    value = params.get(name)
    if value is not None and (value < low or (high is not None and value > high)):
        raise InputError(name, f"{value} is out of range; give a number " + (f"from {low} to {high}" if high is not None else f"of at least {low}"))


def moment(option: str, text: str) -> datetime.datetime:
    """A date or an ISO 8601 moment; a moment needs a time zone, a date alone is midnight in UTC.

    :raises InputError: it is something else.
    """
    try:
        found = datetime.datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text.strip()))
        if found.tzinfo is None and len(text.strip()) > len("2026-11-30"):
            raise InputError(option, f"{printable(text, 40)!r} has no time zone; write 2026-11-30T12:00:00Z or 2026-11-30T12:00:00+02:00")
        return (found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)).astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        raise InputError(option, f"{printable(text, 40)!r} is not a date; write 2026-11-30 or 2026-11-30T12:00:00Z") from None


def http_settings(params: t.Mapping[str, t.Any], base_url: str) -> HttpSettings:
    """The HTTP layer's settings from checked options.

    :raises InputError: a number is out of range, a file is missing or two options contradict each other.
    """
    check_range(params, "timeout", 1, 3600)
    check_range(params, "retry_timeout", 0, 86400)
    check_range(params, "concurrency", 1, MAX_CONCURRENCY)
    for limit in params["rate_limits"]:
        if limit["requests"] < 1 or not 0 < limit["seconds"] <= MAX_WINDOW:
            raise InputError("rate_limits", f"{limit['requests']} requests in {limit['seconds']} seconds is no rate; both numbers must be above 0")
    for name in ("ca_path", "client_cert", "client_key"):
        path = params.get(name)
        if path and not os.path.exists(path):
            raise InputError(name, f"{path!r} does not exist on the host that runs the module")
    if params.get("client_key") and not params.get("client_cert"):
        raise InputError("client_key", "given without client_cert, which holds the certificate of this key")
    if params.get("proxy"):
        try:
            parts = urllib.parse.urlsplit(params["proxy"])
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise InputError("proxy", "this is not the address of an HTTP proxy; write it as http://proxy.example.com:3128")
    return HttpSettings(
        base_url=base_url,
        validate_certs=params["validate_certs"],
        ca_path=params.get("ca_path"),
        client_cert=params.get("client_cert"),
        client_key=params.get("client_key"),
        client_key_passphrase=params.get("client_key_passphrase"),
        proxy=params.get("proxy"),
        timeout=float(params["timeout"]),
        retry_timeout=float(params["retry_timeout"]),
        concurrency=params["concurrency"],
        rate_limits=tuple(RateLimit(limit["requests"], limit["seconds"]) for limit in params["rate_limits"]),
    )


def base_url(params: t.Mapping[str, t.Any], *, strip: t.Sequence[str] = (), option: str = "url") -> str:
    """Scheme, host and port of a vendor's address as users write it: scheme optional, well-known paths of ``strip`` removed.

    :raises InputError: it is missing, is not an address, holds credentials or another path, or is plain HTTP without ``allow_http``.
    """
    given = (params.get(option) or "").strip()
    if not given:
        raise InputError(option, "no address given; set the option or its environment variable")
    shown = printable(given.split("@")[-1], 100)
    try:
        parts = urllib.parse.urlsplit(given if "://" in given else f"https://{given}")
        host, port = parts.hostname, parts.port
        if "[" in parts.netloc:
            ipaddress.IPv6Address(host or "")
    except ValueError:
        raise InputError(option, f"{shown!r} is not an address; write it as https://host.example.com") from None
    if parts.username is not None or parts.password is not None:
        raise InputError(option, "holds a user name or password; give them in their own options, where they are kept out of logs")
    if parts.scheme not in ("https", "http") or not host or port == 0 or re.search(r"[^\w.:-]", host) or any(ch.isspace() for ch in given):
        raise InputError(option, f"{shown!r} is not an HTTPS address; write it as https://host.example.com")
    if parts.scheme == "http" and not params.get("allow_http"):
        raise InputError(option, f"{shown!r} is plain HTTP, which shows the credentials to everyone on the path; use https://, or set allow_http=true")
    path = parts.path.rstrip("/")
    if path.lower() in [known.lower() for known in strip]:
        path = ""
    if path or parts.query or parts.fragment:
        raise InputError(option, f"{shown!r} has a path; give the host only, as in {parts.scheme}://{parts.netloc}")
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}:{port}" if port else f"{parts.scheme}://{name}"
