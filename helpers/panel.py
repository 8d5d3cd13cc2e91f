"""How the answer of a check looks: an HTML panel in Jupyter, plain text elsewhere."""

import html
import re
import sys
from dataclasses import dataclass

# Symbol, word and color: the color alone never carries the meaning, and the translucent
# background leaves the theme's own text color readable on light and on dark.
LOOK = {
    "correct": ("✔", "Correct", "0, 158, 115"),
    "wrong": ("✘", "Not yet", "213, 94, 0"),
    "not attempted": ("○", "Not attempted", "86, 180, 233"),
    "card": ("★", "Score card", "86, 180, 233"),
    "progress": ("★", "Progress", "86, 180, 233"),
}


@dataclass(frozen=True)
class Panel:
    """A status (a key of ``LOOK``), a title and a message.

    In the message a blank line separates paragraphs, `back quotes` mark code, *asterisks* what to
    stress, and a paragraph
    whose lines all start with four spaces is shown as it is, in a fixed-width font.
    """

    status: str
    title: str
    message: str = ""

    @property
    def paragraphs(self):
        return [part for part in self.message.split("\n\n") if part.strip()]

    def __str__(self):
        symbol, word, _ = LOOK[self.status]
        return "\n".join([f"{symbol} {word}: {self.title}", *self.paragraphs])

    # Python's prompt and Jupyter's plain-text fallback both show the text, not a constructor call.
    __repr__ = __str__

    def _repr_html_(self):
        symbol, word, color = LOOK[self.status]
        body = "".join(_paragraph(text) for text in self.paragraphs)
        return (
            f'<div role="status" style="border:1px solid rgb({color}); border-left-width:8px; '
            f"border-radius:4px; background:rgba({color}, 0.12); color:inherit; "
            f'padding:0.5em 1em; margin:0.2em 0; max-width:60em">'
            f"<strong>{symbol} {word}:</strong> {_inline(self.title)}{body}</div>"
        )


def show(panel):
    """Display a panel in a notebook; print its text anywhere else."""
    if in_notebook():
        from IPython.display import display

        display(panel)
    else:
        print(panel)


def in_notebook():
    """Tell whether this code runs in a Jupyter kernel (and not in a terminal or a script)."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def _inline(text):
    # The odd pieces stand between back quotes: in code an asterisk is a product.
    pieces = html.escape(text).split("`")
    pieces[::2] = [re.sub(r"\*(\w[^*]*)\*", r"<em>\1</em>", piece) for piece in pieces[::2]]
    pieces[1::2] = [f"<code>{piece}</code>" for piece in pieces[1::2]]
    return "".join(pieces)


def _paragraph(text):
    lines = text.strip("\n").splitlines()
    if all(line.startswith("    ") for line in lines):
        code = html.escape("\n".join(line[4:] for line in lines))
        return f'<pre style="margin:0.4em 0; background:none; color:inherit">{code}</pre>'
    return f'<p style="margin:0.4em 0">{_inline(text)}</p>'
