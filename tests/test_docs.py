"""What README and docs say is so: links lead somewhere, commands parse or run, names and constants are the code's."""

import argparse
import importlib
import re
import shlex
from pathlib import Path

import pytest

from advisor.__main__ import parser as advisor_parser
from data.__main__ import main as data_main
from data.errors import InputError
from data.version import VERSION
from profiler.__main__ import _parser as profiler_parser

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
COMMAND = re.compile(r"python -m (data|profiler|advisor)\b([^\n`]*)")
NAME = re.compile(r"`((?:data|profiler|advisor)\.[\w.]+)`")
CONSTANT = re.compile(r"^\| `([\w.]+)` \| ([\d.]+) \|$", re.MULTILINE)
FILE = re.compile(r"`((?:data|profiler|advisor|pages|tests|docs|benchmarks)/[\w/]+\.(?:py|sql|csv|md|json))`")


def text(page):
    return page.read_text(encoding="utf-8")


def commands(pages=PAGES):
    """(page, room, words) of every command on a page; what is cut off by a backslash or an ellipsis is left out."""
    found = []
    for page in pages:
        if page.name == "extending.md":
            continue  # its command is added by its own test
        joined = text(page).replace("\\\n", " ")
        for room, rest in COMMAND.findall(joined):
            rest = rest.split("#")[0].split(" > ")[0].strip().rstrip(".,:;)")
            if "..." not in rest and "…" not in rest:
                found.append((page.name, room, rest))
    return sorted(set(found))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in LINK.findall(text(page)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        assert not path or (page.parent / path).exists(), f"{page.name} links to {target}"
        if anchor:
            heads = re.findall(r"^#+ (.+)$", text(page.parent / path if path else page), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", head).strip().lower().replace(" ", "-") for head in heads}
            assert anchor in slugs, f"{page.name} links to {target}"


@pytest.mark.parametrize(("page", "room", "words"), commands())
def test_commands_parse(page, room, words, capsys):
    """With options that exist, a subcommand that exists, and as many words as it takes."""
    said = [word.strip("`'\"") for word in shlex.split(words.replace("[", "").replace("]", ""))]
    if not said:
        return
    if room == "data":
        with pytest.raises(SystemExit) as ended:
            data_main([said[0], "--help"])
        assert ended.value.code == 0
        return
    made = advisor_parser() if room == "advisor" else profiler_parser()
    known = subcommand(made, said)
    for word in said:
        if word.startswith("--"):
            assert word.split("=")[0] in known, f"{page}: {room} {said[0]} has no {word}"
    try:
        made.parse_args(said)
    except InputError as error:
        # A page may name a command without its file; it may not name one that does not exist.
        assert "required" in error.message, f"{page}: python -m {room} {words}: {error.message}"


def subcommand(made, said):
    """The options of the subcommand these words lead to."""
    for word in said:
        choices = next((one.choices for one in made._actions if isinstance(one, argparse._SubParsersAction)), None)
        if choices is None:
            break
        if word.startswith("-"):
            continue
        assert word in choices, f"there is no command {word}"
        made = choices[word]
    return {option for action in made._actions for option in action.option_strings}


def every_subcommand(made, path=()):
    for action in made._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help for choice in action._choices_actions}
            for name, inner in action.choices.items():
                yield (*path, name), inner, helps.get(name)
                yield from every_subcommand(inner, (*path, name))


ALL = [*every_subcommand(advisor_parser(), ("advisor",)), *every_subcommand(profiler_parser(), ("profiler",))]


@pytest.mark.parametrize(("path", "made", "told"), ALL, ids=[" ".join(path) for path, _, _ in ALL])
def test_every_subcommand_says_what_it_does(path, made, told):
    assert told and len(told) > 8, "add_parser needs help="
    assert made.description and len(made.description) > 60, "add_parser needs a description that teaches"
    helps = made.format_help()
    assert "usage: python -m " + path[0] in helps
    silent = [
        action.dest for action in made._actions
        if action.option_strings and not action.help and action.help != argparse.SUPPRESS
    ]  # fmt: skip
    assert silent == [], f"these options have no help: {silent}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_and_files_of_the_code_exist(page):
    for name in set(NAME.findall(text(page))):
        resolved(name)
    for name in set(FILE.findall(text(page))):
        missing_on_purpose = re.search(r"/x\.|NNN", name) or page.name == "extending.md"
        assert missing_on_purpose or (ROOT / name).exists(), f"{page.name} names {name}"


def resolved(name):
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise AssertionError(f"nothing is called {name}")


def test_the_constants_of_the_methods_page_are_the_code_s():
    table = CONSTANT.findall(text(ROOT / "docs/methods.md"))
    assert len(table) >= 20
    for name, value in table:
        assert float(resolved(name)) == float(value), name


def test_the_version_is_one():
    assert f'version = "{VERSION}"' in text(ROOT / "pyproject.toml")
    assert f"## {VERSION}" in text(ROOT / "CHANGELOG.md")


def test_every_page_is_linked_from_another():
    linked = {
        (page.parent / target.split("#")[0]).resolve()
        for page in PAGES for target in LINK.findall(text(page)) if "://" not in target
    }  # fmt: skip
    alone = [page.name for page in PAGES if page.name != "README.md" and page.resolve() not in linked]
    assert alone == []
