"""Figures from samples: medians, their spread, ratios within rounds, and what Weir was to reach."""
from dataclasses import dataclass

KEYS = {"cpu": "cpu_us", "memory": "bytes", "latency": "p99_us"}
# Other programs on the measured cores, or the host taking them away, beyond this make a figure
# worthless.
FOREIGN_SHARE_MAX = 0.05


@dataclass(frozen=True)
class Figure:
    median: float
    low: float
    high: float

    @property
    def spread(self) -> float:
        """Half the distance of the extremes, as a share of the median."""
        return (self.high - self.low) / 2 / self.median if self.median else 0.0


def figure(values: list[float]) -> Figure | None:
    if not values:
        return None
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return Figure(median, ordered[0], ordered[-1])


def values(contestant: dict, key: str) -> list[float]:
    """Empty where errors occurred: such a contestant has no figure."""
    return [] if contestant["errors"] else [sample[key] for sample in contestant["samples"]
                                            if key in sample]


def ratio(entry: dict, name: str, against: str) -> Figure | None:
    """Round by round: what one contestant took, over what the floor or the best peer took."""
    key = KEYS[entry["kind"]]
    mine = values(entry["contestants"][name], key)
    role = "floor" if against == "relay" else "peer"
    others = [values(one, key) for one in entry["contestants"].values() if one["role"] == role]
    if not mine or not others or not all(others):
        return None
    # The best peer is the one that is best in all, not by chance in one round.
    best = min(others, key=lambda samples: figure(samples).median)
    return figure([a / b for a, b in zip(mine, best, strict=True)])


def goal_of(entry: dict) -> str:
    if "goal" in entry:
        return f"≤ {entry['goal']['ratio']:.2f} × {entry['goal']['against']}"
    if "goal_bytes" in entry:
        return f"≤ {entry['goal_bytes']} B"
    return ""


def reached(entry: dict, name: str) -> tuple[str, bool] | None:
    """Weir's figure against its goal, in words, and whether it is reached; None without a goal."""
    if "goal" in entry:
        figures = ratio(entry, name, entry["goal"]["against"])
        if figures is None:
            return None
        return (f"{figures.median:.2f} ({figures.low:.2f}–{figures.high:.2f})",
                figures.median <= entry["goal"]["ratio"])
    if "goal_bytes" in entry:
        figures = figure(values(entry["contestants"][name], "bytes"))
        if figures is not None:
            return f"{figures.median:.0f} B", figures.median <= entry["goal_bytes"]
    return None


def disturbance(results: dict) -> tuple[float, float]:
    """What other programs and the host took of the measured cores, as means over the whole run."""
    samples = [sample for entry in results["scenarios"].values()
               for one in entry["contestants"].values() for sample in one["samples"]
               if "foreign_share" in sample]
    if not samples:
        return 0.0, 0.0
    return (sum(sample["foreign_share"] for sample in samples) / len(samples),
            sum(sample["stolen_share"] for sample in samples) / len(samples))


def errors(results: dict) -> list[str]:
    return [f"{scenario}, {one['title']}: {error}"
            for scenario, entry in results["scenarios"].items()
            for one in entry["contestants"].values() for error in one["errors"]]
