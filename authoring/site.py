"""Builds the course's site, offline, from the documents and the solved notebooks.

    python -m authoring.site            writes site/build/html, or says what is wrong

A lab's page is its solution with the answers folded. Warnings of Sphinx are errors, and so are
links that lead nowhere on the site and pages that load anything from elsewhere.
"""

import argparse
import base64
import hashlib
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
from bs4 import BeautifulSoup

from authoring.errors import AuthoringError
from authoring.kernel import ROOT

# Documents keep their places, so that the links between them hold on the site as in the repository.
DOCUMENTS = ("*.md", "LICENSE", "CITATION.cff", "datasets/**/*.md", "hub/*.md", "solutions/*.md")


def assemble(root, target):
    """Copy what the site shows into a folder for Sphinx, which is emptied before."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root / "site", target, ignore=shutil.ignore_patterns("build", "*.txt"))
    for path in (path for pattern in DOCUMENTS for path in root.glob(pattern)):
        place = target / path.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    (target / "labs").mkdir()
    for path in root.glob("solutions/[0-9][0-9]_*.ipynb"):
        page = fold_answers(nbformat.read(path, as_version=4))
        nbformat.write(page, target / "labs" / path.name)


def fold_answers(notebook):
    """Tag the answer of each exercise, so that the reader sees it only when they ask for it."""
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
    return notebook


def describe_figures(app, doctree):
    """Give each figure of a notebook's page the text alternative that travels with its output."""
    path = Path(app.env.doc2path(app.env.docname))
    if path.suffix != ".ipynb":
        return
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    texts = {}
    for output in outputs:
        for kind, described in output.get("metadata", {}).items():
            if "alt" in described:
                picture = base64.b64decode(output.data[kind])
                texts[hashlib.sha256(picture).hexdigest()] = described["alt"]
    for image in doctree.findall(lambda node: node.tagname == "image"):
        # MyST-NB names the file of a picture by its hash.
        image["alt"] = image.get("alt") or texts.get(Path(image["uri"]).stem, "")


def list_parameters(app, kind, name, thing, options, lines):
    """Turn the paragraphs of a docstring in which each line is `name: what it is` into lists."""
    paragraphs = re.split(r"\n{2,}", "\n".join(lines).strip())
    entry = re.compile(r"(?m)^((?:\\\*)*\w+(?:, (?:\\\*)*\w+)*): ")
    for number, paragraph in enumerate(paragraphs):
        paragraph = paragraph.replace("*", r"\*")  # of `*names`, not of emphasis
        starts = [line for line in paragraph.split("\n") if line[:1].strip()]
        if starts and all(map(entry.match, starts)):
            paragraphs[number] = entry.sub(r":\1: ", paragraph)
    lines[:] = [*"\n\n".join(paragraphs).split("\n"), ""]


def broken_links(html):
    """Sentences, one for each link of these pages that leads nowhere and each thing from elsewhere.

    html: the folder of the site. Links to other sites are not followed.
    """
    pages = {
        path.resolve(): BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in html.rglob("*.html")
        if "_static" not in path.parts  # templates of the theme
    }
    anchors = {path: {tag["id"] for tag in page.find_all(id=True)} for path, page in pages.items()}
    faults = []
    for path, page in pages.items():
        name = path.relative_to(html.resolve())
        for tag in page.find_all(["a", "img", "link", "script", "iframe", "source"]):
            address = tag.get("href") or tag.get("src")
            if not address:
                continue
            parts = urlsplit(address)
            if parts.scheme in ("http", "https") or parts.netloc:
                if tag.name != "a" and "canonical" not in tag.get("rel", []):
                    faults.append(f"{name} loads {address}")
            elif not parts.scheme:
                target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
                if not target.is_file():
                    faults.append(f"{name} links to {address}, which is not there")
                elif parts.fragment and target in anchors and parts.fragment not in anchors[target]:
                    faults.append(f"{name} links to {address}, where there is no such place")
    return sorted(set(faults))


def build(root):
    """Build the site; raise AuthoringError with what is wrong with it."""
    from sphinx.cmd.build import build_main

    folder = root / "site" / "build"
    assemble(root, folder / "pages")
    shutil.rmtree(folder / "html", ignore_errors=True)
    command = ["--fail-on-warning", "--keep-going", "--quiet", "--fresh-env"]
    if build_main([*command, str(folder / "pages"), str(folder / "html")]):
        raise AuthoringError("Sphinx warns; each warning above is to be mended.")
    if faults := broken_links(folder / "html"):
        raise AuthoringError("\n".join(faults))
    return folder / "html" / "index.html"


def main(arguments=None, root=ROOT):
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m authoring.site", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.parse_args(arguments)
    try:
        print(f"Open {build(root)}")
    except AuthoringError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
