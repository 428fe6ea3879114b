# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command in a world where every platform is the simulator: ``python -m tests.simulator.inside --ready-file ready.json -- ansible-playbook ...``.

The command gets the simulator's addresses and credentials, and of the caller's environment only what says nothing of any platform.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# A list of what may pass, because nobody knows all the names under which people keep addresses, credentials and proxies.
KEPT = frozenset(
    ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM", "COLUMNS", "TMPDIR", "NO_COLOR", "VIRTUAL_ENV", "PYTHONPATH",
     "PYTHONDONTWRITEBYTECODE", "LD_LIBRARY_PATH", "ANSIBLE_COLLECTIONS_PATH")
)
INTERRUPTED, TIMED_OUT = 130, 124
PATIENCE_SECONDS = 10.0


def environment(ready: Mapping[str, Any], callers: Mapping[str, str]) -> dict[str, str]:
    """What a command is to see: all platforms by the names that the modules look for, each of them the simulator.

    :param ready: what the simulator wrote into its ready file.
    :raises ValueError: if that does not lead to this machine.
    """
    addresses = {name: ready[name]["url"] for name in ("tpp", "keyfactor", "digicert", "cloudflare")}
    for url in (*addresses.values(), ready["keyfactor"]["token_url"], ready["control_url"]):
        if not _is_loopback(urlsplit(url).hostname or ""):
            raise ValueError(f"{url} is not on this machine, so it is not the simulator that is meant")
    return {
        **{name: value for name, value in callers.items() if name in KEPT or name.startswith("LC_")},
        "VENAFI_URL": addresses["tpp"],
        "VENAFI_TOKEN": ready["tpp"]["access_token"],
        "VENAFI_CA_PATH": ready["ca_path"],
        "KEYFACTOR_HOSTNAME": addresses["keyfactor"],
        "KEYFACTOR_API_PATH": ready["keyfactor"]["api_path"],
        "KEYFACTOR_AUTH_CLIENT_ID": ready["keyfactor"]["client_id"],
        "KEYFACTOR_AUTH_CLIENT_SECRET": ready["keyfactor"]["client_secret"],
        "KEYFACTOR_AUTH_TOKEN_URL": ready["keyfactor"]["token_url"],
        "KEYFACTOR_CA_CERT": ready["ca_path"],
        "DIGICERT_URL": addresses["digicert"],
        "DIGICERT_API_KEY": ready["digicert"]["api_key"],
        "DIGICERT_CA_PATH": ready["ca_path"],
        "CLOUDFLARE_BASE_URL": addresses["cloudflare"],
        "CLOUDFLARE_API_TOKEN": ready["cloudflare"]["api_token"],
        "CLOUDFLARE_ZONE_ID": ready["cloudflare"]["zone_id"],
        "CLOUDFLARE_CA_PATH": ready["ca_path"],
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


def usage(journal: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Requests by vendor: those that only read, those that may change something, and how many of both were refused for their number."""
    found: dict[str, dict[str, int]] = {}
    for entry in journal:
        # An entry without a method is no request, and what endpoints publish is not the vendors'.
        if entry["method"] and entry["vendor"] not in ("", "endpoints"):
            counts = found.setdefault(entry["vendor"], {"reads": 0, "changes": 0, "refused": 0})
            counts["changes" if entry["mutates"] else "reads"] += 1
            counts["refused"] += entry["status"] == 429
    return found


def control(ready: Mapping[str, Any], what: str, method: str = "GET") -> Any:
    """A call to the simulator's control API."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ready["ca_path"]))
    )
    with opener.open(urllib.request.Request(ready["control_url"] + what, method=method), timeout=30) as answer:
        return json.load(answer)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _end(process: subprocess.Popen[bytes]) -> None:
    """An interrupt first, so that it can end what it has started."""
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(PATIENCE_SECONDS)
            return
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return


def _run(command: list[str], variables: dict[str, str], directory: Path | None, timeout: float, owner: int) -> int:
    process = subprocess.Popen(command, cwd=directory, env=variables, stdin=subprocess.DEVNULL, start_new_session=True)

    def leave(number: int, dummy: object) -> None:
        sys.exit(128 + number)

    for how in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(how, leave)
    deadline = time.monotonic() + timeout
    try:
        while time.monotonic() < deadline:
            try:
                return process.wait(0.5)
            except subprocess.TimeoutExpired:
                if owner and not is_alive(owner):
                    return INTERRUPTED
        return TIMED_OUT
    finally:
        if process.poll() is None:
            _end(process)


def main() -> int:
    """The exit code is that of the command, 124 when it was ended because it took too long."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator.inside", description=__doc__.partition("\n")[0])
    parser.add_argument("--ready-file", type=Path, required=True, help="what the simulator wrote when it had started")
    parser.add_argument("--usage", type=Path, help="write here which requests the command has sent, as JSON; empties the journal first")
    parser.add_argument("--chdir", type=Path, help="where the command runs")
    parser.add_argument("--timeout", type=float, default=float("inf"), help="end the command after so many seconds")
    parser.add_argument("--while", dest="owner", type=int, default=0, metavar="PID", help="end the command when this process is gone")
    parser.add_argument("--stop", action="store_true", help="stop the simulator instead")
    parser.add_argument("command", nargs="*")
    options = parser.parse_args()
    try:
        ready = json.loads(options.ready_file.read_text(encoding="utf-8"))
        variables = environment(ready, os.environ)
        if options.stop:
            control(ready, "stop", "POST")
            return 0
        if not options.command:
            parser.error("a command is needed, or --stop")
        if options.usage:
            control(ready, "journal", "DELETE")
    except (OSError, ValueError, KeyError) as error:
        print(f"cannot reach the simulator: {error}", file=sys.stderr)
        return 1
    begun = time.monotonic()
    status = _run(options.command, variables, options.chdir, options.timeout, options.owner)
    if options.usage:
        found = {"status": status, "seconds": round(time.monotonic() - begun, 1), "requests": usage(control(ready, "journal"))}
        options.usage.write_text(json.dumps(found), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
