"""How Sphinx builds these pages: `make docs`."""

from __future__ import annotations

from racelint import __version__

project = "racelint"
author = "the racelint authors"
release = version = __version__
extensions = ["myst_parser", "sphinx_copybutton"]
exclude_patterns = ["_build", "_generated"]
html_theme = "furo"
html_title = "racelint"
html_extra_path = ["_pages"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
copybutton_prompt_text = "$ "
nitpicky = True
pygments_style = "friendly"
pygments_dark_style = "monokai"
