"""The house in one picture, drawn from the code: `make architecture` writes it, and the list of rooms below it.

A room is a file or a folder at the library's door, or a lesson's drawer; an arrow is an import, and arrows that others
imply are left out. The contract of import-linter in pyproject.toml says which room stands on which floor.
"""

import ast
import re
import tomllib
from pathlib import Path
from xml.sax.saxutils import escape

import grimp
import networkx as nx
import numpy as np
from scipy.optimize import isotonic_regression

from tutorial_lib.course.notebooks import ROOT, slugs

PICTURE, PAGE = ROOT / "docs/architecture.svg", ROOT / "docs/architecture.md"
BEGIN, END = "<!-- rooms: `make architecture` writes this part -->", "<!-- /rooms -->"
FLOORS = {  # from the top: fill of a box, colour of the arrows to it (at least 3 : 1 on white and on black)
    "workshop": ("#e6d3ee", "#9a63b3"),
    "lessons": ("#bfe0f5", "#2f86c0"),
    "ideas": ("#fbd3b0", "#c8641a"),
    "datasets and display": ("#bde5d5", "#1f8f6d"),
    "ground": ("#d9d9d9", "#808080"),
}
WIDTH, HEIGHT, GAP, RISE = 124, 54, 12, 100  # of a box; between boxes; from row to row
STYLE = (
    "[data-arrow]{fill:none;stroke-width:1.6}text{font:600 13px sans-serif;fill:#111;text-anchor:middle}"
    ".lines{font-weight:400;font-size:11px}.floor{fill:#808080;text-anchor:start}"
)


def floors() -> dict[str, str]:
    """Room to floor, as the contract has it: workshop, lessons, ideas in as many layers as it takes, the two below."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    layers = [re.findall(r"tutorial_lib\.(\w+)", layer) for layer in tools["importlinter"]["contracts"][0]["layers"]]
    workshop, lessons, ideas, *below = FLOORS
    order = [workshop, lessons, *[ideas] * (len(layers) - 3), *below]
    return {room: floor for floor, layer in zip(order, [["course"], *layers]) for room in layer}


def room_of(module: str) -> str | None:
    """The room that a module stands in; None for the two doors, `tutorial_lib` and `tutorial_lib.lessons`."""
    names = module.split(".")[1:3]
    depth = 2 if names[:1] == ["lessons"] else 1
    return ".".join(names[:depth]) if len(names) >= depth else None


def house() -> nx.DiGraph:
    """Rooms with floor, path, lines of Python and first sentence; an arrow goes from who imports to what is imported.

    Raises:
        ValueError: the contract puts a room on no floor.
    """
    rooms, floor_of, modules = nx.DiGraph(), floors(), grimp.build_graph("tutorial_lib", cache_dir=None)
    number = {f"lessons.{slug[3:]}": slug[:2] for slug in slugs()}
    names = {room for room in map(room_of, modules.modules) if room}
    for name in sorted(names, key=lambda room: (number.get(room, ""), room)):
        floor = floor_of.get(name.partition(".")[0])
        if floor is None:
            raise ValueError(f"{name} stands on no floor: name it in the layers of import-linter in pyproject.toml")
        where = Path("tutorial_lib", *name.split("."))
        folder = (ROOT / where).is_dir()
        files = sorted((ROOT / where).rglob("*.py")) if folder else [ROOT / where.with_suffix(".py")]
        texts = {file: file.read_text(encoding="utf-8") for file in files}
        said = ast.get_docstring(ast.parse(texts[ROOT / where / "__init__.py" if folder else files[0]])) or ""
        lines = sum(len(text.splitlines()) for text in texts.values())
        path = f"{where.as_posix()}/" if folder else f"{where.as_posix()}.py"
        first = said.partition("\n")[0]
        rooms.add_node(name, floor=floor, path=path, lines=lines, said=first, number=number.get(name, ""))
    for room, module in [(room_of(module), module) for module in modules.modules if room_of(module)]:
        found = {room_of(other) for other in modules.find_modules_directly_imported_by(module)} - {room, None}
        rooms.add_edges_from((room, other) for other in found)
    return rooms


def arrows(rooms: nx.DiGraph) -> list[tuple[str, str]]:
    """The arrows that no others imply, in alphabetical order."""
    return sorted(nx.transitive_reduction(rooms).edges)


def rows(rooms: nx.DiGraph) -> dict[str, int]:
    """Room to its row from the top: floor by floor, and within a floor who imports above what is imported."""
    row_of = {}
    for floor in FLOORS:
        inside = rooms.subgraph(room for room in rooms if rooms.nodes[room]["floor"] == floor)
        steps, top = list(nx.topological_generations(inside.reverse()))[::-1], 1 + max(row_of.values(), default=-1)
        row_of |= {room: top + step for step, generation in enumerate(steps) for room in generation}
    return row_of


def places(rooms: nx.DiGraph, row_of: dict[str, int]) -> tuple[dict, dict]:
    """Where boxes and arrows are: everything is pulled to the middle of its neighbours, as far as there is space.

    An arrow that passes a row has a knot there, (its end, the row). Arrows to one room share their knots, so that they
    run together.

    Returns:
        Room or knot to its x, beginning at 0; arrow to all that it touches, ends included.
    """
    ways = {(a, b): [a, *((b, row) for row in range(row_of[a] + 1, row_of[b])), b] for a, b in arrows(rooms)}
    links: nx.Graph = nx.Graph(pair for stops in ways.values() for pair in zip(stops, stops[1:]))
    links.add_nodes_from(rooms)
    levels: list[list] = [[] for _ in range(1 + max(row_of.values()))]
    nodes: list = sorted(links, key=str)
    for node in nodes:
        levels[row_of[node] if node in rooms else node[1]].append(node)
    x = {node: WIDTH * i for level in levels for i, node in enumerate(level)}
    for sweep in range(60):
        for level in levels[:: 1 if sweep % 2 else -1]:
            wish = {node: float(np.mean([x[other] for other in links[node]] or [0])) for node in level}
            level.sort(key=lambda node: (rooms.nodes[node]["number"] if node in rooms else "", wish[node]))
            wide = np.array([WIDTH if node in rooms else 0 for node in level])
            start = np.concatenate([[0], np.cumsum((wide[1:] + wide[:-1]) / 2 + GAP)])
            x |= dict(zip(level, isotonic_regression([wish[node] for node in level] - start).x + start))
    left = min(x[room] for room in rooms) - WIDTH / 2 - GAP
    return {node: round(float(value - left)) for node, value in x.items()}, ways


def draw(rooms: nx.DiGraph) -> str:
    """The picture as SVG. Its paper is transparent, and all its colours hold on a light and on a dark page."""
    row_of = rows(rooms)
    x, ways = places(rooms, row_of)
    y = {node: 44 + RISE * (row_of[node] if node in rooms else node[1]) for node in x}
    width, height = max(x.values()) + WIDTH // 2 + GAP, max(y.values()) + HEIGHT + GAP
    drawn = [f"<title>The rooms of tutorial_lib, and who imports whom</title>\n<style>{STYLE}</style>"]
    for floor in FLOORS:
        of = [y[room] for room in rooms if rooms.nodes[room]["floor"] == floor]
        top, high = min(of) - GAP, max(of) - min(of) + HEIGHT + 2 * GAP
        drawn.append(f'<rect y="{top}" width="{width}" height="{high}" rx="8" fill="#808080" fill-opacity=".1"/>')
        drawn.append(f'<text class="floor" x="8" y="{top - 6}">{floor}</text>')
    for (a, b), stops in ways.items():
        colour = FLOORS[rooms.nodes[b]["floor"]][1]
        path, here, down = f"M{x[a]},{y[a] + HEIGHT}", x[a], y[a] + HEIGHT
        for stop in stops[1:]:
            middle = (down + y[stop]) // 2
            path += f" C{here},{middle} {x[stop]},{middle} {x[stop]},{y[stop]}" + f"v{HEIGHT}" * (stop != b)
            here, down = x[stop], y[stop] + HEIGHT
        drawn.append(f'<path data-arrow="{a} {b}" stroke="{colour}" d="{path}"/>')
        drawn.append(f'<path fill="{colour}" d="M{x[b]},{y[b]}l-5,-9h10z"/>')
    for room, about in rooms.nodes.items():
        words = [room]
        if about["number"]:
            words = re.sub(r"(.{4,11}_)", r"\1\n", f"{about['number']} {room.partition('.')[2]}", count=1).splitlines()
        first = y[room] + HEIGHT // 2 + 5 - 15 * len(words) // 2
        text = "".join(f'<text x="{x[room]}" y="{first + 15 * i}">{word}</text>' for i, word in enumerate(words))
        box = f'x="{x[room] - WIDTH // 2}" y="{y[room]}" width="{WIDTH}" height="{HEIGHT}" rx="6"'
        drawn.append(
            f'<g data-room="{room}"><title>{escape(about["said"])}</title>'
            f'<rect {box} fill="{FLOORS[about["floor"]][0]}"/>{text}'
            f'<text class="lines" x="{x[room]}" y="{first + 15 * len(words)}">{about["lines"]:,} lines</text></g>'
        )
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n' + "\n".join(drawn) + "\n</svg>\n"


def listed(rooms: nx.DiGraph) -> str:
    """The rooms as Markdown, floor by floor, each with the first sentence of its docstring."""
    blocks = []
    for floor in FLOORS:
        here = [about for about in rooms.nodes.values() if about["floor"] == floor]
        blocks.append("\n".join([f"**{floor.capitalize()}**\n", *(f"- `{a['path']}` {a['said']}" for a in here)]))
    return "\n\n".join(blocks)


def main() -> None:
    """The command."""
    rooms = house()
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PICTURE.write_text(draw(rooms), encoding="utf-8")
    PAGE.write_text(f"{before}{BEGIN}\n\n{listed(rooms)}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")
    print(f"{PICTURE.relative_to(ROOT)}: {len(rooms)} rooms, {len(arrows(rooms))} arrows; and the list in {PAGE.name}")


if __name__ == "__main__":
    main()
