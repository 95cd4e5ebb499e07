"""Prose and code of a lesson as HTML: nbconvert's own Markdown (mistune, with mathematics), Pygments' Python."""

import re
from collections.abc import Callable

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.python import PythonLexer

CODE_STYLES = {"light": "xcode", "dark": "github-dark"}
"""Pygments' styles whose every colour has a contrast of 4.5 or more (5.7 and 6.2) on the style's own ground."""
_HINT = re.compile(r"<em>Hint: (.*?)</em>", re.DOTALL)


class _Renderer(IPythonRenderer):
    """Leaves formulas to MathJax, as the script elements it looks for: no delimiter can be taken for a dollar sign."""

    def __init__(self, link: Callable[[str], str | None], taken: set[str]) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)
        self._link, self._taken = link, taken

    def inline_math(self, body: str) -> str:
        return f'<script type="math/tex">{body}</script>'

    def block_math(self, body: str) -> str:
        return f'<script type="math/tex; mode=display">{body}</script>'

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(rf"\begin{{{name}}}{body}\end{{{name}}}")

    def heading(self, text: str, level: int, **_: object) -> str:
        return f'<h{level} id="{anchor(text, self._taken)}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        target = self._link(url)
        return text if target is None else super().link(text, target, title)


def anchor(text: str, taken: set[str]) -> str:
    """An id for a heading, unlike those in `taken`, which it joins."""
    plain = re.sub(r"<script.*?</script>|<[^>]+>|&\w+;", "", text)
    base = re.sub(r"\W+", "-", plain.lower()).strip("-") or "part"
    name, count = base, 2
    while name in taken:
        name, count = f"{base}-{count}", count + 1
    taken.add(name)
    return name


def markdown(text: str, link: Callable[[str], str | None] = lambda url: url, taken: set[str] | None = None) -> str:
    """Prose as HTML: predictions and observations marked, hints folded, tables wrapped so that they scroll alone.

    Args:
        text: Markdown.
        link: target of every link, or None to leave only its words.
        taken: ids that headings already have on this page; new ones are added.
    """
    html = MarkdownWithMath(renderer=_Renderer(link, set() if taken is None else taken)).render(text)
    html = re.sub(r"<blockquote>(?=\s*<p><strong>Predict)", '<blockquote class="predict">', html)
    html = re.sub(r"<p>(?=<strong>What you saw)", '<p class="saw">', html)
    html = _HINT.sub(r"</p><details class='hint'><summary>Hint</summary><p>\1</p></details><p>", html)
    html = re.sub(r"<p>\s*</p>", "", html)
    return scrolling(html)


def scrolling(html: str) -> str:
    """Every table in a box of its own that scrolls, also with the keyboard."""
    html = re.sub(r"<table\b", "<div class='scroll' tabindex='0' role='group' aria-label='table'><table", html)
    html = html.replace("</table>", "</table></div>")
    html = re.sub(r"<td(?=[^>]*>\s*[-−+±]?\d[^<]{0,24}</td>)", "<td data-number", html)  # stays on one line
    return re.sub(r"<th([^>]*)></th>", r"<td\1></td>", html)  # an empty heading tells a screen reader nothing


def plain(html: str) -> str:
    """The words of a piece of HTML, formulas as their TeX without its layout, for the search."""
    text = re.sub(r"<style.*?</style>|<svg.*?</svg>", " ", html, flags=re.DOTALL)
    text = re.sub(r'(?<=<script type="math/tex)[^>]*>.*?(?=</script>)', _plain_formula, text, flags=re.DOTALL)
    text = re.sub(r"<[^>]+>", " ", text)
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'"), ("&amp;", "&")):
        text = text.replace(entity, letter)
    return re.sub(r"\s+", " ", text).strip()


def _plain_formula(found: re.Match[str]) -> str:
    """TeX without what only says how it looks."""
    text = re.sub(r"\\(?:math\w+|text\w*|left|right|big|Big|q?quad|cdot|begin|end)(?![a-z])|\\[,;:! ]", " ", found[0])
    return re.sub(r"[{}\\]", "", text)


def code(text: str) -> str:
    """Python, highlighted. The block scrolls by itself, also with the keyboard."""
    formatter = HtmlFormatter(nowrap=True)
    inner = highlight(text, PythonLexer(), formatter).rstrip("\n")
    return f'<pre class="highlight" tabindex="0" role="group" aria-label="code">{inner}</pre>'


def code_css() -> str:
    """The colours of `code`, for a light page, a dark page and a page that follows the reader's system."""
    sheets = {}
    for theme, style in CODE_STYLES.items():
        for prefix in (".highlight", "html[data-theme=dark] .highlight", "html:not([data-theme=light]) .highlight"):
            lines = HtmlFormatter(style=style).get_style_defs(prefix).splitlines()
            sheets[theme, prefix] = "\n".join(line for line in lines if line.startswith(prefix))
    light = sheets["light", ".highlight"]
    dark = sheets["dark", "html[data-theme=dark] .highlight"]
    system = sheets["dark", "html:not([data-theme=light]) .highlight"]
    docstrings = ".highlight .sd { color: light-dark(#57606a, #9aa4af) }"  # red ones would be the first thing seen
    return (
        f"{light}\n@media screen {{\n{dark}\n@media (prefers-color-scheme: dark) {{\n{system}\n}}\n}}\n{docstrings}\n"
    )
