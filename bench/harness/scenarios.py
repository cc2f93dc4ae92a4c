"""What is measured. A scenario is a value; a new one is a line in ALL."""
from dataclasses import dataclass, field

from .contestants import SMALL_TEXT

MIB = 1024 * 1024


@dataclass(frozen=True)
class Goal:
    """Weir's figure is to be at most `ratio` × that of the floor or the best peer."""
    against: str  # "relay" or "best peer"
    ratio: float


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    load: dict[str, object]  # options of bench_load
    kind: str = "cpu"  # "cpu": µs a request; "latency": open loop; "memory": bytes a connection
    goal: Goal | None = None
    goal_bytes: int | None = None  # memory
    one_core: bool = False
    without: tuple[str, ...] = ()  # roles
    rules: int = 0  # path rules beside those of the two clusters: /rule/0 …
    connections: int = field(default=64)
    targets: int = 0  # beside the one that answers; they are not healthy
    change_ms: int = 0  # between changes: a target comes or goes, a rule changes


SMALL = {"path": "/cluster1", "expect-text": SMALL_TEXT}

ALL = [
    Scenario("keepalive-64", "keep-alive, small body, 64 connections", {"mode": "closed", **SMALL},
             goal=Goal("relay", 1.05)),
    Scenario("keepalive-1000", "keep-alive, small body, 1 000 connections", {"mode": "closed", **SMALL},
             goal=Goal("relay", 1.10), connections=1000),
    # On two cores the wake-ups across them would be measured, and the scheduler's moods.
    Scenario("keepalive-1", "keep-alive, small body, 1 connection, all on one core", {"mode": "closed", **SMALL},
             one_core=True, connections=1),
    # The relay has no pool of target connections: it is no floor here.
    Scenario("connection-per-request", "a connection per request, 64 at once",
             {"mode": "close", **SMALL}, goal=Goal("best peer", 0.85), without=("floor",)),
    Scenario("download-1m", "1 MiB to the client, 16 connections",
             {"mode": "closed", "path": "/cluster1/1m", "expect-bytes": MIB},
             goal=Goal("best peer", 0.70), connections=16),
    Scenario("upload-1m", "1 MiB to the target, 16 connections",
             {"mode": "closed", "path": "/cluster1", "upload": MIB},
             goal=Goal("best peer", 0.70), connections=16),
    Scenario("download-100m", "100 MiB to the client, 4 connections",
             {"mode": "closed", "path": "/cluster1/100m", "expect-bytes": 100 * MIB},
             goal=Goal("best peer", 0.70), connections=4),
    Scenario("upload-100m", "100 MiB to the target, 4 connections",
             {"mode": "closed", "path": "/cluster1", "upload": 100 * MIB},
             goal=Goal("best peer", 0.70), connections=4),
    # The last of them: what a rule costs that is tried in order shows here.
    Scenario("rules-10000", "the first row with 10 000 rules, by the last of them",
             {"mode": "closed", "path": "/rule/9999/x", "expect-text": SMALL_TEXT}, rules=10_000),
    Scenario("latency", "latency at half the best peer's peak, 64 connections",
             {"mode": "open", **SMALL}, kind="latency"),
    # The peers have no such thing: a change is a reload, with new processes.
    Scenario("targets-10000", "the same with 10 000 targets",
             {"mode": "open", **SMALL}, kind="latency", without=("floor", "peer"), targets=10_000),
    Scenario("change-10000", "the same, a target and a rule changed ten times a second",
             {"mode": "open", **SMALL}, kind="latency", without=("floor", "peer"), targets=10_000,
             change_ms=100),
    Scenario("idle-8000", "8 000 idle keep-alive connections",
             {"mode": "idle", **SMALL}, kind="memory", goal_bytes=400, without=("floor",),
             connections=8000),
]
# Latency scenarios take their rate from this one's peers.
PEAK = "keepalive-64"


def chosen(names: list[str] | None) -> list[Scenario]:
    """In the order of ALL; with what a chosen one builds on."""
    if not names:
        return ALL
    unknown = set(names) - {scenario.name for scenario in ALL}
    if unknown:
        raise SystemExit(f"no scenario {', '.join(sorted(unknown))}; there are: "
                         + ", ".join(scenario.name for scenario in ALL))
    wanted = set(names) | ({PEAK} if any(scenario.kind == "latency" and scenario.name in names for scenario in ALL)
                           else set())
    return [scenario for scenario in ALL if scenario.name in wanted]
