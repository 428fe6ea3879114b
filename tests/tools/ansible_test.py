# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test on a copy of the sources.

ansible-test wants to lie in ansible_collections/<namespace>/<name>, refuses a symlink to there, hands on nearly nothing of
the environment, and downloads the installer of pip from a site of its own. So each run gets a lane: a directory with a fresh
copy of the sources and a home of its own, in which pip finds the user's settings and ansible-test finds the installer.
"""

from __future__ import annotations

import argparse
import ast
import configparser
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pythons import find_pythons, path_without_shims
from workspace import CACHE, DEV_VENV, ROOT, copy_sources

SIMULATOR_START_SECONDS = 60

# Stands where ansible-test expects the downloaded get-pip.py: runs pip from the wheel that lies beside it.
GET_PIP = """\
import os, runpy, sys
here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, {wheel!r}))
arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.argv = ["pip", "install", "--find-links", here] + arguments
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


class Lane:
    def __init__(self, venv: Path, name: str, *, every_python: bool = False) -> None:
        self.every_python = every_python
        self.python = venv / "bin" / "python"
        self.base = CACHE / "ansible-test" / name
        self.home = self.base / "home"
        self.collection = self.base / "ansible_collections" / "certops" / "remediation"

    def prepare(self) -> None:
        copy_sources(self.collection)
        # Else ansible-test asks the repository around it, which ignores all that is below .cache.
        subprocess.run(["git", "init", "--quiet"], cwd=self.collection, check=True)
        self.home.mkdir(parents=True, exist_ok=True)
        self._write_pip_settings()
        internals = self._ansible_test_directory()
        self._seed_get_pip(internals)
        _drop_urls(internals)

    def run(self, *arguments: str) -> int:
        command = [self.python.with_name("ansible-test"), arguments[0], "--local", "--color", "no", *arguments[1:]]
        skipped = False
        with subprocess.Popen(
            command, cwd=self.collection, env=self._environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(line, end="", flush=True)
                # ansible-test calls it a success when it has found nothing to test.
                skipped = skipped or "All targets skipped" in line
        return 1 if skipped else process.returncode

    def _environment(self) -> dict[str, str]:
        interpreters = self.base / "pythons"
        shutil.rmtree(interpreters, ignore_errors=True)
        interpreters.mkdir()
        for version, python in self._pythons().items():
            (interpreters / f"python{version}").symlink_to(python)
        path = [self.python.parent, interpreters, *path_without_shims()]
        # ansible-test sets the collections path itself, and a second one with the same collection would confuse it.
        inherited = {name: value for name, value in os.environ.items() if name not in ("ANSIBLE_COLLECTIONS_PATH", "PYTHONPATH")}
        return {**inherited, "HOME": str(self.home), "PATH": os.pathsep.join(map(str, path))}

    def _pythons(self) -> dict[str, Path]:
        found = find_pythons()
        if self.every_python:
            return found
        # Besides that of the environment; what works on the oldest and on the newest works on those between.
        own = subprocess.run([self.python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], check=True, stdout=subprocess.PIPE, text=True).stdout
        return {version: python for version, python in found.items() if version in (own.strip(), next(iter(found)), next(reversed(found)))}

    def _write_pip_settings(self) -> None:
        """Put the pip settings that are in force here, from files or environment, where pip finds them in the lane."""
        settings = configparser.RawConfigParser()
        settings["global"] = _network_settings() | {"cache-dir": self._pip("cache", "dir").strip()}
        for line in self._pip("config", "list").splitlines():
            key, dummy, value = line.partition("=")
            section, dummy, option = key.rpartition(".")
            section = "global" if section == ":env:" else section
            if not settings.has_section(section):
                settings.add_section(section)
            settings.set(section, option, str(ast.literal_eval(value)))
        # Errors only: some twenty environments are made, and they would hide what ansible-test finds.
        settings.set("global", "quiet", "2")
        file = self.home / ".config" / "pip" / "pip.conf"
        file.parent.mkdir(parents=True, exist_ok=True)
        # An index address may hold a password.
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            settings.write(stream)

    def _seed_get_pip(self, internals: Path) -> None:
        source = (internals / "_internal" / "python_requirements.py").read_text(encoding="utf-8")
        pinned = re.search(r"pip='([0-9.]+)'", source)
        if not pinned:
            raise SystemExit("This ansible-test does not name the version of pip that it wants.")
        version = pinned.group(1)
        cache = self.home / ".ansible" / "test" / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        wheel = f"pip-{version}-py3-none-any.whl"
        if not (cache / wheel).exists():
            self._pip("download", "--quiet", "--no-deps", "--dest", str(cache), f"pip=={version}")
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(GET_PIP.format(wheel=wheel), encoding="utf-8")

    def _ansible_test_directory(self) -> Path:
        command = [self.python, "-c", "import ansible_test; print(ansible_test.__path__[0])"]
        return Path(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())

    def _pip(self, *arguments: str) -> str:
        command = [self.python, "-m", "pip", "--disable-pip-version-check", *arguments]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _network_settings() -> dict[str, str]:
    """What pip takes from the environment, but would not see behind ansible-test."""
    names = {
        "cert": ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"),
        "proxy": ("https_proxy", "HTTPS_PROXY"),
    }
    found = {option: [os.environ[name] for name in variables if os.environ.get(name)] for option, variables in names.items()}
    return {option: values[0] for option, values in found.items() if values}


def _drop_urls(internals: Path) -> None:
    """Let ansible-core 2.22 take dill from the package index instead of from an address of its own."""
    for file in (internals / "_data" / "requirements").glob("*.txt"):
        text = file.read_text(encoding="utf-8")
        if re.search(r" ?@ ?https://", text):
            file.write_text(re.sub(r" ?@ ?https://\S+", "", text), encoding="utf-8")


@contextlib.contextmanager
def simulator(directory: Path) -> Iterator[dict[str, Any]]:
    """A running simulator: yields the contents of its ready file."""
    ready, log = directory / "ready.json", directory / "simulator.log"
    ready.unlink(missing_ok=True)
    command = [DEV_VENV / "bin" / "python", "-m", "tests.simulator", "--ready-file", ready, "--scenario", "default"]
    with open(log, "wb") as stream:
        process = subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=subprocess.STDOUT)
    try:
        yield _wait_until_ready(process, ready, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], ready: Path, log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + SIMULATOR_START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        # A file that is not there yet, or not yet whole.
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            return dict(json.loads(ready.read_text(encoding="utf-8")))
        time.sleep(0.1)
    raise SystemExit(f"The simulator did not start. It said:\n{log.read_text(encoding='utf-8', errors='replace')}")


def sanity(lane: Lane, arguments: list[str]) -> int:
    ignored = sorted(path.name for path in (ROOT / "tests" / "sanity").glob("ignore*.txt"))
    if ignored:
        print(f"Sanity errors are mended, not ignored: remove {', '.join(ignored)} from tests/sanity.")
        return 1
    lane.prepare()
    return lane.run("sanity", *arguments)


def integration(lane: Lane, arguments: list[str], module_python: Path | None) -> int:
    lane.prepare()
    with simulator(lane.base) as connection:
        variables: dict[str, Any] = {"simulator": connection}
        if module_python:
            variables["ansible_python_interpreter"] = str(module_python.absolute())
        # JSON is YAML. ansible-test makes the variables of this file known to every target.
        config = lane.collection / "tests" / "integration" / "integration_config.yml"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(json.dumps(variables, indent=2), encoding="utf-8")
        return lane.run("integration", "--continue-on-error", *arguments)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["sanity", "integration"])
    parser.add_argument("--venv", type=Path, default=DEV_VENV, help="the environment whose ansible-test is run")
    parser.add_argument("--lane", default="dev", help="runs at the same time need lanes of different names")
    parser.add_argument("--every-python", action="store_true", help="sanity: with all Pythons found, not the outermost and the own only")
    parser.add_argument("--module-python", type=Path, help="integration: run the modules with this Python instead of ansible-test's own")
    arguments, rest = parser.parse_known_args()
    # Leaves by way of the simulator's end.
    for how in (signal.SIGINT, signal.SIGTERM):
        signal.signal(how, lambda number, dummy: sys.exit(128 + number))
    lane = Lane(arguments.venv.absolute(), f"{arguments.lane}-{arguments.kind}", every_python=arguments.every_python)
    if arguments.kind == "sanity":
        return sanity(lane, rest)
    return integration(lane, rest, arguments.module_python)


if __name__ == "__main__":
    sys.exit(main())
