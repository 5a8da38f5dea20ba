"""Strings over several lines, places in code, and doubled keys, by the syntax tree."""

import pytest

from twotrack.context.syntax import parse
from twotrack.languages import LANGUAGES
from twotrack.text import Snapshot


@pytest.mark.parametrize(
    ("language", "code", "lines"),
    [
        ("python", "x = '''\na\n'''\ny = 1", [(0, 2)]),
        ("javascript", "x = `\n${\n a}`", [(0, 2)]),
        ("shellscript", "cat <<EOF\na\nEOF\necho 'a\nb'", [(0, 2), (3, 4)]),
        ("ruby", "x = <<~A\n  b\nA", [(0, 2)]),
        ("go", "var x = `\na\n`", [(0, 2)]),
        ("rust", 'let x = r#"\na"#;', [(0, 1)]),
        ("java", 'String x = """\n  a\n""";', [(0, 2)]),
        ("php", "<?php\n$x = <<<A\n a\nA;\n", [(1, 3)]),
        ("csharp", 'var x = @"\na";', [(0, 1)]),
        ("lua", "x = [[\na]]", [(0, 1)]),
        ("toml", "x = '''\nb'''", [(0, 1)]),
        ("yaml", "a: |\n  x\n", []),  # its indentation is that of the block
    ],
)
def test_long_strings(language: str, code: str, lines: list[tuple[int, int]]) -> None:
    syntax = parse(LANGUAGES[language], code, checking=True)
    assert syntax is not None
    assert list(syntax.long_strings()) == lines


@pytest.mark.parametrize(
    ("language", "code", "inside"),
    [
        ("python", "x = a ^ b", True),
        ("python", "x = 'a ^ b'", False),
        ("python", "x = f'{a ^ b}'", True),
        ("python", "# a ^ b", False),
        ("javascript", "x = `${a ^ b}`", True),
        ("javascript", "x = `a ^ b`", False),
        ("javascriptreact", "x = <p>a ^ b</p>", False),
        ("php", "<p>^</p><?php $a = 1;", False),
        ("shellscript", "cat <<A\n^\nA", False),
    ],
)
def test_in_code(language: str, code: str, inside: bool) -> None:
    syntax = parse(LANGUAGES[language], code)
    assert syntax is not None
    assert syntax.in_code(Snapshot(code).position(code.index("^"))) is inside


@pytest.mark.parametrize(
    ("language", "code", "key"),
    [
        ("json", '{"a": 1, "a": 2}', "a"),
        ("json", '{"a": {"a": 1}}', ""),
        ("yaml", "a: 1\nb:\n  a: 1\n'a': 2\n", "a"),
        ("yaml", "x:\n  <<: *a\n  <<: *b\n", ""),
        ("yaml", "- a: 1\n- a: 2\n", ""),
        ("toml", "a = 1\n[t]\na = 1\n[t]\n", "t"),
        ("toml", "[[t]]\na = 1\n[[t]]\na = 1\n", ""),
    ],
)
def test_doubled_keys(language: str, code: str, key: str) -> None:
    syntax = parse(LANGUAGES[language], code, checking=True)
    assert syntax is not None
    assert syntax.doubled_key() == key
