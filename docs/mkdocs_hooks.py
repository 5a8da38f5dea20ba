"""What the site needs beyond mkdocs: pages and links are those of the repository.

A page's path in the site is its path in the repository, so a relative link works in both, and
mkdocs checks it. A link to a file that is no page leads to the repository's own site.
"""

import logging
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PAGES = ("*.md", "docs/**/*.md", "editors/*/README.md", "packaging/README.md")
PICTURES = ("editors/**/*.svg", "editors/vscode/images/*.png")
STEP = re.compile(r"^\d\. .*\n(?:(?: {3}.*)?\n)*", re.MULTILINE)
"""An item of a numbered list, with all that stands in it."""
INDENT = re.compile(r"^ {3}", re.MULTILINE)
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)")
LOADED = re.compile(
    r"<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=\"?(?:https?:)?//[^>]*>"
)
log = logging.getLogger("mkdocs.hooks")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Return the pages and pictures of the repository, in the place of those of docs/ alone."""
    theme = [file for file in files if Path(file.src_dir or ".") != Path(config.docs_dir)]
    paths = sorted({path for glob in (*PAGES, *PICTURES) for path in ROOT.glob(glob)})
    ours = [
        File(path.relative_to(ROOT).as_posix(), str(ROOT), config.site_dir, use_directory_urls=True)
        for path in paths
        if "node_modules" not in path.parts
    ]
    return Files([*theme, *ours])


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return the text as GitHub reads it: links, folded parts, what stands in numbered lists."""
    source = page.file.src_uri

    def link(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), found[1]))
        for other in (path, f"{path}/README.md"):
            if files.get_file_from_path(other) is not None:
                return posixpath.relpath(other, posixpath.dirname(source) or ".")
        if not (ROOT / path).exists():
            log.warning("%s: there is no %s", source, path)
        return f"{config.extra['repository']}/blob/main/{path}"

    markdown = LINK.sub(link, markdown)
    # Python-Markdown wants four blanks where CommonMark takes three.
    markdown = STEP.sub(lambda step: INDENT.sub(" " * 4, step[0]), markdown)
    return markdown.replace("<details>", '<details markdown="1">')


def on_post_page(output: str, *, page: Page, **_: Any) -> None:
    """Warn, which fails a strict build, if a page would load something from another host."""
    for tag in LOADED.findall(output):
        log.warning("%s loads from another host: %s", page.file.src_uri, tag)
