"""The CPU time per request as a drawing (SVG), bars with whiskers from lowest to highest round."""
from xml.sax.saxutils import escape

from . import statistics as stats
from .report import contestants, number

COLOURS = {"relay": "#9aa5b1", "nginx": "#3f9b58", "haproxy": "#3b6fb6", "weir-io_uring": "#d1495b",
           "weir-epoll": "#edae49"}
LABEL_WIDTH, BAR_WIDTH, BAR_HEIGHT, GAP = 270, 460, 16, 18


def svg(results: dict) -> str:
    names = contestants(results)
    parts, y = [], 16
    x = LABEL_WIDTH
    for name, one in names.items():
        parts.append(f'<rect x="{x - 150}" y="{y - 10}" width="11" height="11" '
                     f'fill="{COLOURS.get(name, "#777777")}"/>')
        parts.append(text(x - 134, y, one["title"]))
        x += 24 + 8 * len(one["title"])
    y += 26
    for entry in results["scenarios"].values():
        if entry["kind"] == "cpu":
            drawn, y = group(entry, names, y)
            parts += drawn
    width = LABEL_WIDTH + BAR_WIDTH + 80
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" '
            f'viewBox="0 0 {width} {y}" font-family="sans-serif" font-size="12">\n'
            f'<title>CPU time of the proxy per request, µs (less is better)</title>\n'
            f'<rect width="{width}" height="{y}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n")


def text(x: float, y: float, words: str, extra: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="#222222"{extra}>{escape(words)}</text>'


def group(entry: dict, names: dict, y: int) -> tuple[list[str], int]:
    """One scenario: its bars share a scale of their own, since a MiB costs what 50 requests do."""
    figures = {name: stats.figure(stats.values(entry["contestants"][name], "cpu_us"))
               for name in names if name in entry["contestants"]}
    figures = {name: figure for name, figure in figures.items() if figure}
    if not figures:
        return [], y
    scale = BAR_WIDTH / max(figure.high for figure in figures.values())
    middle = y + len(figures) * (BAR_HEIGHT + 2) / 2
    parts = [text(LABEL_WIDTH - 10, middle + 4, entry["title"], ' text-anchor="end"')]
    for name, figure in figures.items():
        end, centre = LABEL_WIDTH + figure.median * scale, y + BAR_HEIGHT / 2
        low, high = LABEL_WIDTH + figure.low * scale, LABEL_WIDTH + figure.high * scale
        parts.append(f'<rect x="{LABEL_WIDTH}" y="{y}" width="{end - LABEL_WIDTH:.1f}" '
                     f'height="{BAR_HEIGHT}" fill="{COLOURS.get(name, "#777777")}"/>')
        parts.append(f'<path d="M{low:.1f} {centre}H{high:.1f}" stroke="#222222"/>')
        parts.append(text(high + 6, centre + 4, f"{number(figure.median)} µs"))
        y += BAR_HEIGHT + 2
    return parts, y + GAP
