"""Runs a scenario: all contestants in turn, round after round, so that what disturbs the machine
disturbs them alike, and compares within a round."""
import json
import os
import pathlib
import resource
import subprocess
import tempfile
from dataclasses import dataclass

from . import contestants as who
from . import machine
from .scenarios import PEAK, Scenario

# Connections, where a scenario has fewer. HAProxy closes target connections that it could keep once a
# quarter of the descriptors that this allows are in use: with little more than it needs it would pay
# for a new one with each request.
READY_FOR = 8192
DESCRIPTORS_TO_SPARE = 600
SPARE_CONNECTIONS = 512


@dataclass
class Settings:
    programs: pathlib.Path
    proxy_core: int
    load_core: int
    rounds: int
    warmup_ms: int
    duration_ms: int


def connections_max() -> int:
    """A proxy has two descriptors a connection."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - DESCRIPTORS_TO_SPARE


class Wrong(Exception):
    """A measurement with errors in it is none."""


def load_command(settings: Settings, scenario: Scenario, port: int, **more: object) -> list[str]:
    options = {"port": port, "connections": scenario.connections, "warmup-ms": settings.warmup_ms,
               "duration-ms": settings.duration_ms, **scenario.load, **more}
    command = [str(settings.programs / "bench_load")]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    return command


def run_load(settings: Settings, core: int, command: list[str]) -> tuple[dict, float]:
    """Its result, and the CPU time that it took itself."""
    before = os.times()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          preexec_fn=machine.pinned(core), check=False)
    after = os.times()
    if done.returncode != 0:
        errors = json.loads(done.stdout)["errors"] if done.stdout.startswith("{") else {}
        counted = ", ".join(f"{count} {name}" for name, count in errors.items() if count)
        raise Wrong(f"{counted or 'the load generator failed'}: {done.stderr.strip()[:300]}")
    own = after.children_user - before.children_user + after.children_system - before.children_system
    return json.loads(done.stdout), own


def sample(settings: Settings, scenario: Scenario, proxy: who.Running, backend: who.Running,
           load_core: int, rate: int | None) -> dict:
    cores = {settings.proxy_core, settings.load_core}
    more: dict[str, object] = {"watch": proxy.pid}
    if rate is not None:
        more["rate"] = rate
    changes_before = len(proxy.changes_ms())
    ours = -machine.cpu_seconds(proxy.pid) - machine.cpu_seconds(backend.pid)
    busy, stolen = machine.busy_and_stolen(cores)
    result, load_seconds = run_load(settings, load_core,
                                    load_command(settings, scenario, proxy.port, **more))
    busy_after, stolen_after = machine.busy_and_stolen(cores)
    ours += machine.cpu_seconds(proxy.pid) + machine.cpu_seconds(backend.pid) + load_seconds
    span = (settings.warmup_ms + settings.duration_ms) / 1000 * len(cores)
    seconds = result["elapsed_ns"] / 1e9
    if result["requests"] == 0:
        raise Wrong("no request was answered in the measured time")
    changes = sorted(proxy.changes_ms()[changes_before:])
    if scenario.change_ms and not changes:
        raise Wrong("nothing was changed in the measured time")
    return {
        **({"in_force_ms": changes[len(changes) // 2]} if changes else {}),
        "cpu_us": result["cpu_ns"] / 1000 / result["requests"],
        "requests_per_second": result["requests"] / seconds,
        "core_share": result["cpu_ns"] / result["elapsed_ns"],
        "p50_us": result["p50_us"],
        "p99_us": result["p99_us"],
        "p99_9_us": result["p99_9_us"],
        "foreign_share": max(0.0, busy_after - busy - ours) / span,
        "stolen_share": (stolen_after - stolen) / span,
    }


def idle_bytes(settings: Settings, scenario: Scenario, contestant: who.Contestant) -> dict:
    """Resident memory with all connections idle, less that of another instance, ready for few, that
    has served some: what a proxy sets aside per connection at its start is counted so too."""
    def resident(ready_for: int, hold: bool) -> int:
        backend = who.start_backend(settings.programs, settings.load_core)
        try:
            proxy = who.start(contestant, backend, settings.proxy_core, ready_for)
            try:
                warm = load_command(settings, scenario, proxy.port, mode="closed", connections=64)
                run_load(settings, settings.load_core, warm)
                if not hold:
                    return machine.resident_bytes(proxy.pid)
                return resident_while_idle(settings, scenario, proxy)
            finally:
                proxy.stop()
        finally:
            backend.stop()

    few = resident(SPARE_CONNECTIONS, hold=False)
    many = resident(scenario.connections + SPARE_CONNECTIONS, hold=True)
    return {"bytes": (many - few) / scenario.connections, "resident_mib": many / 2**20}


def resident_while_idle(settings: Settings, scenario: Scenario, proxy: who.Running) -> int:
    with tempfile.TemporaryFile("w+") as log:
        holder = subprocess.Popen(load_command(settings, scenario, proxy.port), text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                  preexec_fn=machine.pinned(settings.load_core))
        try:
            if holder.stdout.readline().strip() != "idle":
                log.seek(0)
                raise Wrong(f"connections could not be opened: {log.read()[:300]}")
            resident = machine.resident_bytes(proxy.pid)
            holder.communicate()
            if holder.returncode != 0:
                raise Wrong("idle connections did not answer afterwards")
            return resident
        finally:
            if holder.poll() is None:
                holder.kill()
                holder.wait()


def rate_from(results: dict) -> int:
    """Half the best peer's peak; where no peer has run, half of what the best of all did."""
    peak = results[PEAK]["contestants"]
    rates = {name: median(one["samples"], "requests_per_second")
             for name, one in peak.items() if one["samples"]}
    peers = [rate for name, rate in rates.items() if peak[name]["role"] == "peer"]
    if not rates:
        raise Wrong("no peak to take half of")
    return int(max(peers or rates.values()) / 2)


def median(samples: list[dict], key: str) -> float:
    values = sorted(sample[key] for sample in samples)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def run_scenario(settings: Settings, scenario: Scenario, field: list[who.Contestant], results: dict,
                 progress) -> dict:
    field = [one for one in field if one.role not in scenario.without]
    entry = {"title": scenario.title, "kind": scenario.kind, "connections": scenario.connections,
             "one_core": scenario.one_core, "contestants":
             {one.name: {"title": one.title, "role": one.role, "samples": [], "errors": []}
              for one in field}}
    if scenario.goal:
        entry["goal"] = {"against": scenario.goal.against, "ratio": scenario.goal.ratio}
    if scenario.goal_bytes:
        entry["goal_bytes"] = scenario.goal_bytes
    if scenario.kind == "latency":
        entry["rate"] = rate_from(results)
    run = run_memory if scenario.kind == "memory" else run_traffic
    run(settings, scenario, field, entry, progress)
    return entry


def run_memory(settings: Settings, scenario: Scenario, field: list[who.Contestant], entry: dict,
               progress) -> None:
    # Memory does not waver as time does.
    for number in range(settings.rounds // 3 or 1):
        for one in field:
            progress(scenario, number, one)
            record(entry, one, lambda one=one: idle_bytes(settings, scenario, one))


def run_traffic(settings: Settings, scenario: Scenario, field: list[who.Contestant], entry: dict,
                progress) -> None:
    load_core = settings.proxy_core if scenario.one_core else settings.load_core
    backend = who.start_backend(settings.programs, load_core)
    running: dict[str, who.Running] = {}
    try:
        for one in field:
            ready_for = min(READY_FOR, connections_max())
            try:
                running[one.name] = who.start(one, backend, settings.proxy_core, ready_for,
                                              scenario.rules, scenario.targets, scenario.change_ms)
            except who.NotStarted as error:
                entry["contestants"][one.name]["errors"].append(str(error))
        for number in range(settings.rounds):
            # Each round begins with another one: who follows whom is spread evenly too.
            turn = number % len(field)
            for one in field[turn:] + field[:turn]:
                progress(scenario, number, one)
                record(entry, one, lambda one=one: sample(
                    settings, scenario, running[one.name], backend, load_core, entry.get("rate")))
    finally:
        for proxy in running.values():
            proxy.stop()
        backend.stop()


def record(entry: dict, one: who.Contestant, measured) -> None:
    mine = entry["contestants"][one.name]
    if mine["errors"]:
        return
    try:
        mine["samples"].append(measured())
    except (Wrong, who.NotStarted, OSError) as error:
        mine["errors"].append(str(error))
        mine["samples"].clear()
