"""Results as tables: aligned for a terminal, in Markdown for documents."""
from . import statistics as stats

# (heading, kinds of scenarios, key of a sample, how a figure is written, scale)
TABLES = [
    ("CPU time of the proxy per request, µs", ("cpu",), "cpu_us", 1),
    ("Requests a second, thousands", ("cpu",), "requests_per_second", 1e-3),
    ("Latency of requests due at a constant rate, p50, µs", ("latency",), "p50_us", 1),
    ("p99, µs", ("latency",), "p99_us", 1),
    ("p99.9, µs", ("latency",), "p99_9_us", 1),
    ("Time until a change is in force, ms", ("latency",), "in_force_ms", 1),
    ("Resident memory per idle connection, bytes", ("memory",), "bytes", 1),
]


def contestants(results: dict) -> dict[str, dict]:
    found: dict[str, dict] = {}
    for entry in results["scenarios"].values():
        for name, one in entry["contestants"].items():
            found.setdefault(name, {"title": one["title"], "role": one["role"]})
    order = {"floor": 0, "peer": 1, "weir": 2}
    return dict(sorted(found.items(), key=lambda item: order[item[1]["role"]]))


def number(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}".replace(",", " ")


def cell(entry: dict, name: str, key: str, scale: float) -> str:
    one = entry["contestants"].get(name)
    if one is None:
        return "–"
    if one["errors"]:
        return "errors"
    figure = stats.figure(stats.values(one, key))
    if figure is None:
        return "–"
    median = number(figure.median * scale)
    is_alone = len(one["samples"]) == 1  # tells nothing of its spread
    return median if is_alone else f"{median} ±{figure.spread * 100:.0f} %"


def goal_cell(entry: dict) -> str:
    """What Weir is to reach, and how far each of its event loops is."""
    parts = [stats.goal_of(entry)]
    for name, one in entry["contestants"].items():
        result = stats.reached(entry, name) if one["role"] == "weir" else None
        if result:
            words, is_reached = result
            loop = name.removeprefix("weir-")
            parts.append(f"{loop} {words} {'reached' if is_reached else 'missed'}")
    return "; ".join(part for part in parts if part)


def has_figures(entry: dict, key: str) -> bool:
    """Errors are told in any table but those that few scenarios are in."""
    return any(key in sample for one in entry["contestants"].values() for sample in one["samples"]) \
        or (key != "in_force_ms" and any(one["errors"] for one in entry["contestants"].values()))


def table(results: dict, kinds: tuple[str, ...], key: str, scale: float) -> list[list[str]]:
    names = contestants(results)
    with_goal = any(stats.goal_of(entry) and entry["kind"] in kinds and stats.KEYS[entry["kind"]] == key
                    for entry in results["scenarios"].values())
    rows = [["", *(one["title"] for one in names.values()), *(["Weir's goal"] if with_goal else [])]]
    for entry in results["scenarios"].values():
        if entry["kind"] in kinds and has_figures(entry, key):
            title = entry["title"]
            if "rate" in entry:
                title += f" ({number(entry['rate'])}/s)"
            rows.append([title, *(cell(entry, name, key, scale) for name in names),
                         *([goal_cell(entry)] if with_goal else [])])
    return rows if len(rows) > 1 else []


def tables(results: dict, headings: list | None = None):
    for heading, kinds, key, scale in headings or TABLES:
        rows = table(results, kinds, key, scale)
        if rows:
            yield heading, rows


def aligned(rows: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        lines.append("  ".join(word.ljust(width) if i == 0 or i == len(row) - 1 else word.rjust(width)
                               for i, (word, width) in enumerate(zip(row, widths))).rstrip())
    return "\n".join(lines)


def markdown(rows: list[list[str]]) -> str:
    head, *rest = rows
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rest])


def honesty(results: dict) -> list[str]:
    """How far these figures may be trusted, in sentences."""
    machine, settings = results["machine"], results["settings"]
    foreign, stolen = stats.disturbance(results)
    kind = "virtual machine" if machine["virtual"] else "machine"
    lines = [
        f"{machine['date']}, Weir {machine['commit']}; {kind}, {machine['cores']} × {machine['cpu']}, "
        f"{machine['memory_gib']} GiB, {machine['system']}, kernel {machine['kernel']}; loopback of "
        f"{machine['network']}.",
        f"Each figure is the median of {settings['rounds']} rounds of {settings['duration_ms'] / 1000:g} "
        "s, ± half the distance between the extremes; all contestants take turns within a round, "
        "ratios (with their extremes) are taken within rounds.",
        f"Proxy on core {settings['proxy_core']}, load generator and back end on core "
        f"{settings['load_core']}; other programs took {foreign * 100:.1f} % of these cores, the host "
        f"{stolen * 100:.1f} %.",
    ]
    if foreign > stats.FOREIGN_SHARE_MAX or stolen > stats.FOREIGN_SHARE_MAX:
        lines.append("TOO NOISY: the machine was not at rest. Ratios are hints, figures are nothing.")
    if settings["rounds"] < 5:
        lines.append("A quick run: too few rounds to tell a few per cent apart.")
    return lines


def text(results: dict) -> str:
    blocks = [f"{heading}\n{aligned(rows)}" for heading, rows in tables(results)]
    blocks.append("\n".join(honesty(results)))
    errors = stats.errors(results)
    if errors:
        blocks.append("No figure where errors occurred:\n" + "\n".join(f"  {e}" for e in errors))
    return "\n\n".join(blocks)
