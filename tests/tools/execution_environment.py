# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The execution environment: what ansible-builder makes of it, and with podman a real image in which flows run as AWX runs them."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from package import INSTALLED, tarball
from workspace import CACHE, LINT_VENV, ROOT

EXAMPLE = ROOT / "execution-environment"
WORK = CACHE / "ee"
IMAGE = "localhost/certops-ee:test"
# For a machine that can pull no image: a base made by debootstrap, and what differs with it.
OWN_BASE = "localhost/certops-ee-base:bookworm"
OWN_DEPENDENCIES = {"python_interpreter": {"package_system": "python3", "python_path": "/usr/bin/python3"}}
OWN_OPTIONS = {"package_manager_path": "/usr/bin/apt-get", "skip_pip_install": True}
PULL_SECONDS = 60
# In a machine that is a container itself, the usual runtime and its limits may be out of reach.
NESTED = """[containers]
default_ulimits = ["nofile=1024:20000", "nproc=30000:30000"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
"""
CERTIFICATES = "/etc/ssl/certs"


# -- without a container engine -----------------------------------------------------------------------------------------------------------


def describe() -> int:
    """What the package asks for, and what becomes of the example."""
    asked = yaml.safe_load(builder("introspect", str(INSTALLED)))
    wanted = [line for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    found = [line.partition("#")[0].strip() for line in asked["python"]]
    if sorted(found) != sorted(wanted) or asked["system"]:
        print(f"The package asks for {asked}, and not for {wanted} alone.")
        return 1
    print(f"introspect: {', '.join(found)}")
    context = WORK / "example"
    create(EXAMPLE / "execution-environment.yml", context)
    galaxy = yaml.safe_load((context / "_build" / "requirements.yml").read_text(encoding="utf-8"))
    print(f"create: {', '.join(entry['name'] for entry in galaxy['collections'])} on {base_image()}")
    return 0


def create(definition: Path, context: Path) -> None:
    shutil.rmtree(context, ignore_errors=True)
    builder("create", "--file", str(definition), "--context", str(context), "--output-filename", "Containerfile")


def builder(*arguments: str) -> str:
    return run(str(LINT_VENV / "bin" / "ansible-builder"), *arguments)


def base_image() -> str:
    return str(yaml.safe_load((EXAMPLE / "execution-environment.yml").read_text(encoding="utf-8"))["images"]["base_image"]["name"])


# -- with podman --------------------------------------------------------------------------------------------------------------------------


def build() -> int:
    """A real image of the example, with the collection of this checkout instead of that of Galaxy."""
    if not shutil.which("podman"):
        print("podman is missing. Install it (apt install podman, dnf install podman), then run this again.")
        return 1
    use_nested_settings()
    image = choose_base()
    started = time.monotonic()
    definition = WORK / "definition"
    shutil.rmtree(definition, ignore_errors=True)
    definition.mkdir(parents=True)
    shutil.copy2(tarball(), definition)
    example = yaml.safe_load((EXAMPLE / "execution-environment.yml").read_text(encoding="utf-8"))
    example["images"]["base_image"]["name"] = image
    if image == OWN_BASE:
        example["dependencies"] |= OWN_DEPENDENCIES
        example["options"] |= OWN_OPTIONS
    example["dependencies"]["galaxy"] = {"collections": [{"name": f"/build/collections/{tarball().name}", "type": "file"}]}
    example["additional_build_files"] = [{"src": tarball().name, "dest": "collections"}]
    # The Python package index as this machine reaches it, for the stages that build and not for what is kept.
    settings = "".join(f"ARG {name}={value}\n" for name, value in pip_settings().items())
    example["additional_build_steps"] = {f"prepend_{stage}": settings for stage in ("base", "builder", "final")} if settings else {}
    (definition / "execution-environment.yml").write_text(yaml.safe_dump(example, sort_keys=False), encoding="utf-8")
    context = WORK / "context"
    create(definition / "execution-environment.yml", context)
    network = ["--network=host", f"--volume={CERTIFICATES}:{CERTIFICATES}:ro", "--isolation=chroot"]
    run("podman", "build", "--quiet", "--tag", IMAGE, *network, "--file", str(context / "Containerfile"), str(context))
    print(f"built {IMAGE} from {image} in {time.monotonic() - started:.0f} s")
    version = run("podman", "run", "--rm", IMAGE, "ansible", "--version").splitlines()[0]
    listed = json.loads(run("podman", "run", "--rm", IMAGE, "ansible-galaxy", "collection", "list", "--format", "json"))
    print(f"{version}, {listed}")
    return 0


def use_nested_settings() -> None:
    """Settings for a restricted machine, where containers do not start without."""
    WORK.mkdir(parents=True, exist_ok=True)
    if "CONTAINERS_CONF" not in os.environ and Path("/sys/fs/cgroup/unified").is_dir():
        settings = WORK / "containers.conf"
        settings.write_text(NESTED, encoding="utf-8")
        os.environ["CONTAINERS_CONF"] = str(settings)


def choose_base() -> str:
    """The base image of the example, or a base of this machine's own where that one cannot be had."""
    wanted = base_image()
    if is_here(wanted):
        return wanted
    try:
        subprocess.run(["podman", "pull", "--quiet", wanted], check=True, timeout=PULL_SECONDS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return wanted
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        print(f"{wanted} cannot be pulled here.")
    if not is_here(OWN_BASE):
        make_own_base()
    return OWN_BASE


def is_here(image: str) -> bool:
    return subprocess.run(["podman", "image", "exists", image], check=False).returncode == 0


def make_own_base() -> None:
    if not shutil.which("debootstrap"):
        raise SystemExit("To make a base image without a registry, install debootstrap (apt install debootstrap), then run this again as root.")
    started = time.monotonic()
    root = WORK / "rootfs"
    shutil.rmtree(root, ignore_errors=True)
    run("debootstrap", "--variant=minbase", "--include=python3,python3-pip,ca-certificates", "bookworm", str(root))
    subprocess.run(f"tar -C {root} -c . | podman import --quiet - {OWN_BASE}", shell=True, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(root)
    print(f"made {OWN_BASE} in {time.monotonic() - started:.0f} s")


def pip_settings() -> dict[str, str]:
    """How pip reaches the index from here: what is no file of this machine's own."""
    listed = run(str(LINT_VENV / "bin" / "python"), "-m", "pip", "config", "list")
    found = {}
    for line in listed.splitlines():
        name, value = line.split("=", 1)
        option, value = name.rpartition(".")[2].lstrip("."), value.strip("'")
        if (option == "index-url" or option == "trusted-host") or (option == "cert" and value.startswith(CERTIFICATES)):
            found[f"PIP_{option.upper().replace('-', '_')}"] = value
    return found


# -- flows in the image -------------------------------------------------------------------------------------------------------------------


def flows() -> int:
    """A plan job, an apply job, and what must be refused, each as AWX starts it: a private data directory that is mounted at /runner."""
    sys.path[:0] = [str(ROOT), str(CACHE / "tree")]
    from ansible_collections.certops.remediation.tests.simulator.server import Simulator

    use_nested_settings()
    stuck = {"in_error": True, "stage": 500, "status": "Post CSR failed."}
    with Simulator({"tpp": {"certificates": [{"name": "web-{n}.example.com", "count": 5, **stuck}, {"name": "fine.example.com"}]}}) as simulator:
        secret = simulator.ready["tpp"]["access_token"]

        def job(name: str, *, check: bool = False, status: int = 0, **variables: Any) -> dict[str, Any]:
            return run_job(name, simulator.ready, variables, check=check, status=status)

        planned = job("plan", check=True)
        expect(planned["stats"]["unstick_certificates_summary"]["planned"] == 5, "the plan is to change 5", planned)
        digest = planned["stats"]["unstick_certificates_plan_digest"]
        job("another-digest", status=2, unstick_certificates_plan_digest=f"sha256:{'0' * 64}")
        expect(not resets(simulator), "another digest changes nothing", resets(simulator))
        applied = job("apply", unstick_certificates_plan_digest=digest)
        expect(len(resets(simulator)) == 5 and applied["stats"]["unstick_certificates_summary"]["changed"] == 5, "all 5 are reset, once", resets(simulator))
        again = job("again", unstick_certificates_plan_digest=digest)
        expect(again["changed"] == 0 and len(resets(simulator)) == 5, "a second run changes nothing", again)
        # Where ansible-runner itself puts the environment, nobody may look.
        left = [path for path in (WORK / "jobs").rglob("*") if path.is_file() and path.name not in ("envvars", "command", "env.list")]
        expect(len(left) > 50, "events and output are there", left)
        shown = [path for path in left if secret in path.read_text(errors="replace")]
        expect(not shown, "no secret in events and output", shown)
    print("4 jobs in the image: plan, another digest refused, applied once, second run without a change")
    return 0


def resets(simulator: Any) -> list[str]:
    return [entry["target"] for entry in simulator.journal if entry["effect"] == "reset"]


def run_job(name: str, ready: Mapping[str, Any], variables: Mapping[str, Any], *, check: bool, status: int) -> dict[str, Any]:
    """One job from a private data directory as AWX fills it: inputs that were left open are there and empty."""
    folder = WORK / "jobs" / name
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("env", "inventory", "project"):
        (folder / part).mkdir(parents=True)
    shutil.copy2(ready["ca_path"], folder / "env" / "ca.pem")
    environment = {
        "VENAFI_URL": ready["tpp"]["url"], "VENAFI_TOKEN": ready["tpp"]["access_token"], "VENAFI_CA_PATH": "/runner/env/ca.pem", "VENAFI_USER": "",
        "VENAFI_PASS": "", "VENAFI_SKIP_VERIFY": "", "KEYFACTOR_HOSTNAME": "", "DIGICERT_API_KEY": "", "CLOUDFLARE_API_TOKEN": "", "NO_PROXY": "127.0.0.1",
    }
    given = {"awx_job_id": 4711, "awx_user_name": "robin", "unstick_certificates_folder": "", "unstick_certificates_max_changes": "", **variables}
    (folder / "env" / "envvars").write_text(json.dumps(environment), encoding="utf-8")
    (folder / "env" / "extravars").write_text(json.dumps(given), encoding="utf-8")
    (folder / "env" / "cmdline").write_text("-u root -vvvvv" + (" --check --diff" if check else ""), encoding="utf-8")
    host = "localhost ansible_connection=local ansible_python_interpreter='{{ ansible_playbook_python }}'\n"
    (folder / "inventory" / "hosts").write_text(host, encoding="utf-8")
    started = time.monotonic()
    command = [
        str(Path(sys.executable).with_name("ansible-runner")), "run", str(folder), "-p", "certops.remediation.unstick_certificates", "--ident", "1", "--quiet",
        "--process-isolation", "--process-isolation-executable", "podman", "--container-image", IMAGE, "--container-option=--network=host",
        "--container-option=--user=root",
    ]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    artifacts = folder / "artifacts" / "1"
    output = (artifacts / "stdout").read_text(encoding="utf-8") if (artifacts / "stdout").exists() else ""
    expect(done.returncode == status, f"the job {name} ends with {status}, not {done.returncode}", done.stdout + output[-3000:])
    print(f"job {name}: {time.monotonic() - started:.1f} s")
    events = [json.loads(path.read_text(encoding="utf-8")) for path in (artifacts / "job_events").glob("*.json")]
    stats = next(event["event_data"] for event in events if event["event"] == "playbook_on_stats")
    return {"changed": sum(stats["changed"].values()), "stats": stats.get("artifact_data", {})}


def expect(true: bool, claim: str, shown: object) -> None:
    if not true:
        raise SystemExit(f"This was to be so and is not: {claim}\n{shown}")


def run(*command: str) -> str:
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ends with {done.returncode}\n{done.stdout[-6000:]}")
    return done.stdout


def main() -> int:
    steps: dict[str, Callable[[], int]] = {"describe": describe, "build": build, "flows": flows}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=steps)
    return steps[parser.parse_args().step]()


if __name__ == "__main__":
    sys.exit(main())
