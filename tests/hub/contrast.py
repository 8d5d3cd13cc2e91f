"""The contrast of text as WCAG 2.2 defines it: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""

import re


def contrast(color, backgrounds):
    """Return the contrast ratio, 1 to 21, of a text's color to what lies behind it.

    Colors are strings as browsers compute them, `rgb(...)` or `rgba(...)`; `backgrounds` go from
    the innermost to that of the page. Raises ValueError for any other notation of a color.
    """
    behind = (255, 255, 255)
    for background in reversed(backgrounds):
        behind = _over(background, behind)
    dark, light = sorted([_luminance(_over(color, behind)), _luminance(behind)])
    return (light + 0.05) / (dark + 0.05)


def _over(color, behind):
    """Return the red, green and blue that are seen where a translucent color lies on another."""
    if not color.startswith("rgb"):
        raise ValueError(f"{color} is not written as rgb")
    *rgb, alpha = [*map(float, re.findall(r"[\d.]+", color)), 1][:4]
    return [alpha * above + (1 - alpha) * below for above, below in zip(rgb, behind, strict=True)]


def _luminance(rgb):
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance, of numbers from 0 to 255."""
    shares = [value / 255 for value in rgb]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
