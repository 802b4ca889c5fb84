"""A dashboard drawn as one HTML page of SVG, from what its expressions return."""

import html
import math
import re
import time
import urllib.parse

COLOURS = ["#3274d9", "#56a64b", "#e0752d", "#a352cc", "#e02f44", "#8f8f00", "#1f9e89", "#c27ba0", "#5d6d7e", "#7a4a21", "#00b5d8",
           "#111111"]
NAMED = {"green": "#37872d", "orange": "#e0752d", "red": "#c4162a"}
WIDTH, CELL, STEP = 1440, 60, 5


def shown(value, unit):
    if value is None or math.isnan(value) or math.isinf(value):
        return "–"
    if unit == "percentunit":
        return f"{value * 100:.4g} %"
    if unit == "s" and not value:
        return "0 s"
    if unit == "s":
        for size, word in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
            if abs(value) >= size:
                return f"{value / size:.3g} {word}"
        return f"{value * 1000:.3g} ms" if abs(value) >= 0.001 else f"{value * 1e6:.3g} µs"
    suffix = {"reqps": " req/s", "ops": " ops/s"}.get(unit, "")
    if abs(value) >= 10000:
        return f"{value / 1000:.4g} k{suffix}"
    return f"{value:.3g}{suffix}"


def series_of(prometheus, panel, begin, end):
    """Names and points: in the order of the expressions, the highest of each first."""
    found = []
    for place, target in enumerate(panel["targets"]):
        expression = target["expr"].replace("$__rate_interval", "15s").replace('"$job"', '"rollcall"').replace('"$instance"', '".*"')
        query = urllib.parse.urlencode({"query": expression, "start": begin, "end": end, "step": STEP})
        for result in prometheus.get(f"query_range?{query}")["result"]:
            legend = target["legendFormat"]
            name = re.sub(r"\{\{(\w+)\}\}", lambda match: result["metric"].get(match[1], ""), legend)
            points = [(float(at), float(value)) for at, value in result["values"] if value not in ("NaN", "+Inf", "-Inf")]
            if points:
                found.append((place, -max(value for _, value in points), name if legend != "__auto" else "", points))
    return [(name, points) for _, _, name, points in sorted(found)]


def ticks(most):
    """Round steps from 0 that cover `most`."""
    rough = most / 4 or 1
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough)
    return [step * number for number in range(math.ceil(most / step - 1e-9) + 1)]


def chart(found, unit, width, height, begin, end):
    if not found:
        return (f'<svg width="{width}" height="{height}"><text x="{width / 2}" y="{height / 2}" text-anchor="middle" '
                'font-size="15">No data</text></svg>')
    left, right, top, bottom = 78, 14, 8, 20
    most = max((value for _, points in found for _, value in points), default=1) or 1
    marks = ticks(most)
    across = lambda at: left + (at - begin) / (end - begin) * (width - left - right)
    up = lambda value: height - bottom - value / marks[-1] * (height - top - bottom)
    out = []
    for mark in marks:
        out.append(f'<line x1="{left}" x2="{width - right}" y1="{up(mark):.1f}" y2="{up(mark):.1f}" stroke="#e4e6eb"/>'
                   f'<text x="{left - 6}" y="{up(mark) + 4:.1f}" text-anchor="end">{html.escape(shown(mark, unit))}</text>')
    for number in range(6):
        at = begin + (end - begin) * number / 5
        anchor = "start" if number == 0 else "end" if number == 5 else "middle"
        out.append(f'<text x="{across(at):.1f}" y="{height - 4}" text-anchor="{anchor}">{time.strftime("%H:%M:%S", time.gmtime(at))}</text>')
    for number, (_, points) in enumerate(found):
        colour = COLOURS[number % len(COLOURS)]
        pieces, last = [], None
        for at, value in points:
            gap = last is None or at - last > 2 * STEP
            pieces.append(f"{'M' if gap else 'L'}{across(at):.1f} {up(max(value, 0)):.1f}")
            last = at
        out.append(f'<path d="{"".join(pieces)}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
    return f'<svg width="{width}" height="{height}">{"".join(out)}</svg>'


def drawn(prometheus, panel, begin, end):
    grid, defaults = panel["gridPos"], panel["fieldConfig"]["defaults"]
    width, height = grid["w"] * CELL - 12, grid["h"] * 36 - 12
    found, unit = series_of(prometheus, panel, begin, end), defaults["unit"]
    if panel["type"] == "stat":
        value = found[0][1][-1][1] if found else None
        steps = [step for step in defaults["thresholds"]["steps"] if value is not None and value >= (step["value"] or -math.inf)]
        colour = NAMED[steps[-1]["color"]] if steps else "#777"
        body = f'<div class="stat" style="color:{colour}">{html.escape(shown(value, unit))}</div>'
    else:
        named = found[:len(COLOURS)]
        legend = "".join(f'<span><i style="background:{COLOURS[number]}"></i>{html.escape(name)}</span>'
                         for number, (name, _) in enumerate(named) if name)
        legend += f"<span>and {len(found) - len(named)} more</span>" if len(found) > len(named) else ""
        body = chart(found, unit, width - 16, height - 74, begin, end) + f'<div class="legend">{legend}</div>'
    style = f"left:{grid['x'] * CELL + 6}px;top:{grid['y'] * 36 + 70}px;width:{width}px;height:{height}px"
    return f'<div class="panel" style="{style}"><h2>{html.escape(panel["title"])}</h2>{body}</div>', bool(found)


def page(prometheus, dashboard, begin, end, note):
    """The page with a note at its foot, its height in pixels, and the titles of panels without data."""
    parts, empty = [], []
    for panel in dashboard["panels"]:
        part, has_data = drawn(prometheus, panel, begin, end)
        parts.append(part)
        empty += [] if has_data else [panel["title"]]
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"]) * 36 + 104
    return f"""<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: #f4f5f8; font: 12px sans-serif; color: #222; position: relative; height: {height}px }}
h1 {{ font-size: 20px; margin: 0; padding: 16px 14px 2px }} p {{ margin: 0 14px; color: #555; font-size: 13px }}
.panel {{ position: absolute; background: #fff; border: 1px solid #dfe1e6; border-radius: 3px; box-sizing: border-box; padding: 6px 8px; overflow: hidden }}
h2 {{ font-size: 13px; margin: 0 0 4px; font-weight: 600 }} text {{ font-size: 11px; fill: #555 }}
.stat {{ font-size: 38px; text-align: center; padding-top: 28px; font-weight: 600 }}
.legend {{ height: 34px; overflow: hidden; line-height: 17px }} .legend span {{ margin-right: 12px; white-space: nowrap }}
.legend i {{ display: inline-block; width: 10px; height: 3px; margin-right: 4px; vertical-align: middle }}
footer {{ position: absolute; bottom: 8px; left: 14px; color: #777 }}
</style><h1>{html.escape(dashboard["title"])}</h1><p>{html.escape(dashboard["description"])}</p>{"".join(parts)}
<footer>{html.escape(note)}</footer>""", height, empty
