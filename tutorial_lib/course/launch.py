"""Launch badges in the README, for the repository's address wherever it has one.

    python -m tutorial_lib.course.launch OWNER/NAME     link every lesson to Colab and Binder
    python -m tutorial_lib.course.launch                take the links out again

The repository does not know where it is hosted, so it ships without links; whoever publishes it, or a fork of it, runs
`make badges REPOSITORY=owner/name` once. Only what stands between the two marks is rewritten.
"""

import argparse
import re
from pathlib import Path

from tutorial_lib.course.notebooks import NOTEBOOKS, ROOT, as_command
from tutorial_lib.course.unpack import PATTERN

BEGIN, END = "<!-- launch: `make badges REPOSITORY=owner/name` writes this part -->", "<!-- /launch -->"
NOWHERE = """\
This copy does not say where it is hosted, so it has no launch links. On GitHub, `make badges REPOSITORY=owner/name`
writes them here, for every lesson."""
COLAB_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
BINDER_BADGE = "https://mybinder.org/badge_logo.svg"


def links(repository: str, slug: str, branch: str = "main") -> tuple[str, str]:
    """Addresses that open a lesson of a GitHub repository ("owner/name") in Colab and in Binder.

    Raises:
        ValueError: if `repository` is not of that form, or `branch` could not stand in an address.
    """
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository, re.ASCII):
        raise ValueError(f"repository is {repository!r}, expected owner/name as in the address of its GitHub page")
    if not re.fullmatch(r"[\w.-]+", branch, re.ASCII):
        raise ValueError(f"branch is {branch!r}, expected one of letters, digits, '.', '_' and '-'")
    return (
        f"https://colab.research.google.com/github/{repository}/blob/{branch}/notebooks/{slug}.ipynb",
        f"https://mybinder.org/v2/gh/{repository}/{branch}?urlpath=lab/tree/notebooks/{slug}.ipynb",
    )


def block(repository: str | None, branch: str = "main") -> str:
    """What stands between the marks: a row of badges for every lesson, or a sentence that there are none."""
    if repository is None:
        return NOWHERE
    rows = ["| lesson | | |", "|---|---|---|"]
    for slug in sorted(path.stem for path in NOTEBOOKS.glob(PATTERN)):
        colab, binder = links(repository, slug, branch)
        name = slug.replace("_", " ")
        rows.append(f"| {name} | [![Open in Colab]({COLAB_BADGE})]({colab}) | [![Binder]({BINDER_BADGE})]({binder}) |")
    return "\n".join([*rows, "", "Colab needs one cell more, see [docs/launchers.md](docs/launchers.md)."])


def rewrite(text: str, repository: str | None, branch: str = "main") -> str:
    """`text` with the part between the marks written anew.

    Raises:
        ValueError: if the marks are not there exactly once, in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"expected the marks {BEGIN} and {END} once each, in this order")
    return f"{before}{BEGIN}\n{block(repository, branch)}\n{END}{after}"


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m tutorial_lib.course.launch", description="Write launch badges into the README."
    )
    parser.add_argument("repository", nargs="?", help="owner/name on GitHub; without it the badges are removed")
    parser.add_argument("--branch", default="main")
    parser.add_argument("--file", type=Path, default=ROOT / "README.md")
    options = parser.parse_args(arguments)
    try:
        text = rewrite(options.file.read_text(encoding="utf-8"), options.repository, options.branch)
    except (ValueError, FileNotFoundError) as error:
        parser.error(str(error))
    options.file.write_text(text, encoding="utf-8")
    print(f"{options.file.name}: " + (f"links to {options.repository}" if options.repository else "no launch links"))
    return 0


if __name__ == "__main__":
    as_command(main)
