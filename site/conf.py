"""Sphinx's settings for the course's site, which `make site` builds."""

from authoring import site

project = "Deep learning labs"
author = "the authors of Deep learning labs"
copyright = "CC BY 4.0 (text and figures), MIT (code)"
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "sphinx-mathjax-offline"]
nitpicky = True
# Types of other libraries, whose documentation is elsewhere.
nitpick_ignore_regex = [("py:class", r"(numpy|pathlib|pd)\..*")]

# The notebooks hold the outputs of the solutions; nothing runs here.
nb_execution_mode = "off"
nb_code_prompt_show = "Show the answer"
nb_code_prompt_hide = "Hide the answer"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]

# Docstrings are plain text, in which single back quotes mark code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}

html_theme = "sphinx_book_theme"
html_title = "Deep learning labs"
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],  # the search is in the sidebar already
    "logo": {"text": "Deep learning labs"},
}


def setup(app):
    app.connect("doctree-read", site.describe_figures)
    app.connect("autodoc-process-docstring", site.list_parameters)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
