# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server: one HTTPS listener in front of the vendors' parts, with clock, faults, journal and control API."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from . import faults as fault_actions
from . import scenarios
from .authority import Authority, write_private
from .clock import Clock
from .cloudflare import Cloudflare
from .control import PREFIX as CONTROL_PREFIX
from .control import control
from .digicert import DigiCert
from .elsewhere import Elsewhere
from .endpoints import Endpoints
from .exchange import Answer, Call, canonical, not_found
from .faults import Faults
from .journal import Journal
from .keyfactor import Keyfactor
from .leaks import Leaks
from .statefile import StateFile
from .tpp import Tpp
from .vendor import Vendor

MAX_BODY = 16 << 20


@dataclass(slots=True)
class Settings:
    """Settings of the server as a whole; each vendor has switches of its own."""

    latency_ms: float = 0.0


class Simulator:
    """The simulator, running in a background thread between ``start`` and ``stop`` (or within ``with``).

    Tests read and write ``tpp``, ``keyfactor``, ``digicert``, ``cloudflare``, ``endpoints``, ``clock``, ``faults``, ``journal`` and ``settings`` directly;
    take ``lock`` to do several things at once.
    """

    def __init__(
        self,
        scenario: str | Path | dict[str, Any] = "default",
        *,
        scale: float = 1.0,
        host: str = "127.0.0.1",
        port: int = 0,
        directory: Path | None = None,
        state_file: Path | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.authority = Authority()
        self.clock = Clock()
        self.faults = Faults()
        self.settings = Settings()
        self.records = Journal()
        self.tpp = Tpp(self.clock, self.authority, self.lock)
        self.digicert = DigiCert(self.clock, self.authority, self.lock)
        self.keyfactor = Keyfactor(self.clock, self.authority, self.lock, self.records, self._find)
        self.elsewhere = Elsewhere(self.authority, self.tpp, self.keyfactor, self.digicert)
        self.cloudflare = Cloudflare(self.clock, self.authority, self.lock)
        self.endpoints = Endpoints(self.clock, self.authority, self.lock, self.elsewhere)
        # The endpoints first, because what the others hold may be signed with addresses of its CRLs; Command lists what TPP and DigiCert have issued.
        self.vendors: list[Vendor] = [self.endpoints, self.tpp, self.digicert, self.keyfactor, self.cloudflare]
        self.ready: dict[str, Any] = {}
        self.revision = 0
        self.scenario = scenario
        self.on_stop: Callable[[], None] | None = None
        self._host, self._port = host, port
        self._own_directory = directory is None
        self._directory = directory or Path(tempfile.mkdtemp(prefix="certops-simulator-"))
        self.leaks = Leaks(self._directory)
        self._state_file = StateFile(state_file, self) if state_file else None
        if self._state_file is None or not self._state_file.load():
            self.reset(scenario, scale=scale)
        self._started = threading.Event()
        self._stopping: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def _find(self, reference: Any) -> Any:
        # A part may refer to what is made after it.
        return self.elsewhere.find(reference)

    @property
    def journal(self) -> list[dict[str, Any]]:
        return self.records.entries

    def reset(self, scenario: str | Path | dict[str, Any] | None = None, settings: dict[str, Any] | None = None, scale: float = 1.0) -> None:
        """Back to the start of a scenario (default: the last one). Journal, faults and skipped time go; the credentials of ``ready`` stay valid."""
        data = scenarios.load(self.scenario if scenario is None else scenario, scale)
        with self.lock:
            self.scenario = self.scenario if scenario is None else scenario
            self.records.clear()
            self.faults.clear()
            self.clock.load({"ahead": 0.0, "scale": 1.0})
            self.settings = Settings()
            self.authority.keys.load({})
            self.leaks.clear()
            for vendor in self.vendors:
                vendor.reset(data.get(vendor.name, {}))
            # They serve what the others hold.
            self.endpoints.add(data.get("endpoints", {}).get("servers", ()))
            for label, reference in data.get("leaks", {}).items():
                self.leaks.add(label, self.elsewhere.find(reference))
            if "notice" in data:
                self.leaks.notice(data["notice"], self.digicert.listed())
            self.configure({**data.get("settings", {}), **(settings or {})})

    def configure(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Change settings: ``latency_ms``, ``clock_scale``, and under a vendor's name its switches. Returns all of them."""
        with self.lock:
            known = {"latency_ms", "clock_scale", *(vendor.name for vendor in self.vendors)}
            if not known.issuperset(changes):
                raise ValueError(f"unknown settings: {', '.join(sorted(set(changes) - known))}; known: {', '.join(sorted(known))}")
            self.settings.latency_ms = float(changes.get("latency_ms", self.settings.latency_ms))
            if "clock_scale" in changes:
                self.clock.scale = float(changes["clock_scale"])
            vendors = {vendor.name: vendor.configure(changes.get(vendor.name, {})) for vendor in self.vendors}
            return {**asdict(self.settings), "clock_scale": self.clock.scale, **vendors}

    # -- life cycle ----------------------------------------------------------------------------------------------

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(self, *dummy: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve in a background thread; returns when connections are accepted."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="simulator", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        if self._loop is not None and self._stopping is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
            self._loop = None
        self.endpoints.close()
        if self._own_directory:
            shutil.rmtree(self._directory, ignore_errors=True)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        server = web.Server(self._serve, access_log=None, request_factory=self._request)
        runner = web.ServerRunner(server, shutdown_timeout=0.5)
        try:
            await runner.setup()
            context = self.authority.server_context(self._host, self._directory)
            site = web.TCPSite(runner, self._host, self._port, ssl_context=context)
            await site.start()
            # Relying parties fetch CRLs and ask for OCSP over plain HTTP.
            await web.SockSite(runner, self.endpoints.socket).start()
            self._write_ready(runner.addresses[0][1])
        except BaseException as error:  # pylint: disable=broad-exception-caught
            self._failure = error
            return
        finally:
            self._started.set()
        saver = asyncio.create_task(self._state_file.keep()) if self._state_file else None
        await self._stopping.wait()
        await runner.cleanup()
        if saver is not None and self._state_file is not None:
            saver.cancel()
            self._state_file.save()

    def _write_ready(self, port: int) -> None:
        host = f"[{self._host}]" if ":" in self._host else self._host
        url = f"https://{host}:{port}"
        ca_path = write_private(self._directory / "ca.pem", self.authority.root_pem)
        self.ready = {"url": url, "ca_path": str(ca_path), "control_url": f"{url}{CONTROL_PREFIX}/", "leaks": self.leaks.dump()}
        with self.lock:
            self.ready.update({vendor.name: vendor.ready(url, self._directory) for vendor in self.vendors})

    # -- requests ------------------------------------------------------------------------------------------------

    @staticmethod
    def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        """aiohttp's request with a larger limit for the body: a scenario may come in one."""
        return web.BaseRequest(message, payload, protocol, writer, task, asyncio.get_running_loop(), client_max_size=MAX_BODY)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.revision += 1
        raw_path, dummy, raw_query = request.raw_path.partition("?")
        if raw_path.startswith(("http://", "https://")):
            raw_path = "/" + raw_path.split("/", 3)[3]
        body = await request.read() if request.body_exists else b""
        call = Call(request.method, canonical(raw_path), raw_path, raw_query, request.headers, body)
        call.base_url = f"https://{request.host}"
        if not request.secure and not call.path.startswith(self.endpoints.prefixes):
            return fault_actions.respond(not_found())
        if call.path.startswith(CONTROL_PREFIX):
            return fault_actions.respond(self._guarded(lambda: control(self, call)))
        call.client_cn = _common_name(request)
        vendor = next((vendor for vendor in self.vendors if call.path.startswith(vendor.prefixes)), None)
        if self.settings.latency_ms:
            await asyncio.sleep(self.settings.latency_ms / 1000)
        with self.lock:
            if vendor is not None:
                self._guarded(lambda: vendor.identify(call))
            fault = self.faults.take(call)
            call.only = fault.only if fault else 0
            entry = self.records.open(call, vendor.name if vendor else "", self.clock.now(), fault.action if fault else None)

        def process() -> Answer:
            with self.lock:
                answer = self._guarded(lambda: vendor.handle(call)) if vendor else not_found()
                effect = call.effect or ", ".join(sorted(set(call.effects.values())))
                entry.update(effect=effect, effects=call.effects, target=call.target)
            return answer

        if fault is None:
            answer = process()
            self.records.close(entry, answer.status)
            return fault_actions.respond(answer)
        status, response = await fault_actions.apply(fault, request, call, process)
        self.records.close(entry, status)
        return response

    @staticmethod
    def _guarded(work: Any) -> Any:
        """A bug of the simulator is loud, and not mistaken for a vendor's answer."""
        try:
            return work()
        except Exception:  # pylint: disable=broad-exception-caught
            traceback.print_exc()
            return Answer.text("simulator error", 500)


def _common_name(request: web.BaseRequest) -> str:
    """The common name of the client's TLS certificate."""
    certificate = request.get_extra_info("peercert") or {}
    names = dict(pair for part in certificate.get("subject", ()) for pair in part)
    return str(names.get("commonName", ""))
