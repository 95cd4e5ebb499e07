"""How Sphinx makes the site, out of the folder that `tutorial_lib.course.site` lays out: run `make site`.

The theme is pydata's: of the three that were tried (furo, sphinx-book-theme) the only one in whose pages axe-core finds
nothing, in the light and in the dark.
"""

import tutorial_lib

project = html_title = "Human pose estimation, live"
author = "The course authors"
version = release = tutorial_lib.__version__
html_show_copyright = html_show_sourcelink = html_show_sphinx = html_copy_source = False

extensions = ["myst_nb", "sphinx.ext.mathjax"]
exclude_patterns = ["_*"]
suppress_warnings = ["mystnb.unknown_mime_type", "toc.not_included"]  # a cheat sheet hangs on its lesson
nb_execution_mode = "off"  # lessons are executed when they are built
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "attrs_block", "dollarmath"]
myst_heading_anchors = 4
myst_update_mathjax = False

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_extra_path = ["_extra"]
html_css_files = ["demos/page.css", "course.css"]
html_js_files = ["plotly.min.js", "figures.js", ("demos/page.js", {"defer": "defer"}), "course.js"]
html_sidebars = {"index": [], "**": ["contents.html"]}
html_context = {"default_mode": "auto"}
html_theme_options = {
    "navbar_center": [],
    "footer_end": [],
    "search_as_you_type": True,
    "search_bar_text": "Search",
    "secondary_sidebar_items": ["page-toc"],
    "article_header_start": [],
}
templates_path = ["_templates"]

# MathJax as it lies beside the pages. It wants its settings before it starts, so it starts last.
mathjax_path = "mathjax/MathJax.js?config=TeX-AMS-MML_HTMLorMML-full"
mathjax_options = {"defer": "defer"}
mathjax2_config = {
    "tex2jax": {
        "inlineMath": [["$", "$"], [r"\(", r"\)"]],  # dollars: in the outputs of cells
        "ignoreClass": "bd-container",
        "processClass": "math|cell_output",
    }
}
