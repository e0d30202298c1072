"""The runner of examples notices a document that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.examples import Block, blocks
from tests.docs.reader import Reader

GOOD = """
# Page

<!-- slow: simulation -->
```python
slow = 1
```

```bash
echo 3 > three.txt
```

- In a list:

  ```python
  from pathlib import Path
  print("read", Path("three.txt").read_text())
  ```

<!-- output -->
```text
read …
```

<!-- not run: needs a board -->
```python
raise SystemExit
```

```{toctree}
other
```
"""


def page(folder: Path, text: str) -> list[Block]:
    """The blocks of a document with this text."""
    (folder / "page.md").write_text(text)
    return blocks(folder / "page.md")


def read(folder: Path, patch: pytest.MonkeyPatch, text: str, *, slow: bool = False) -> Reader:
    """A reader of a document with this text."""
    patch.chdir(folder)
    reader = Reader()
    reader.read(page(folder, text), slow=slow)
    return reader


def test_blocks_have_their_line_language_and_mark(tmp_path: Path) -> None:
    found = [(b.line, b.language, b.mark, b.reason) for b in page(tmp_path, GOOD)]
    assert found == [
        (6, "python", "slow", "simulation"),
        (10, "bash", "", ""),
        (16, "python", "", ""),
        (22, "text", "output", ""),
        (27, "python", "not run", "needs a board"),
    ]


def test_indented_blocks_and_blocks_without_a_language_are_blocks(tmp_path: Path) -> None:
    found = page(tmp_path, "Text\n\n    hwgen demo\n\n~~~\nhwgen demo\n~~~\n")
    assert [(block.line, block.language) for block in found] == [(3, ""), (6, "")]


@pytest.mark.parametrize("slow", [True, False])
def test_blocks_share_names_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: bool
) -> None:
    reader = read(tmp_path, monkeypatch, GOOD, slow=slow)
    assert reader.printed == "read 3\n\n"
    assert ("slow" in reader.namespace) == slow


def test_a_wrong_option_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "```bash\nhwgen methods --combination || true\nhwgen methods --combine\necho late\n```\n"
    message = r"page\.md:2: exit code 2(.|\n)*No such option '--combine'"
    with pytest.raises(pytest.fail.Exception, match=message) as caught:
        read(tmp_path, monkeypatch, text)
    assert "late\n" not in str(caught.value).partition("```")[2]


def test_a_wrong_attribute_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AttributeError, match="classify_all") as caught:
        read(tmp_path, monkeypatch, "```python\nimport hwgen\n\nhwgen.golden.classify_all\n```\n")
    assert (caught.traceback[-1].path, caught.traceback[-1].lineno) == (tmp_path / "page.md", 3)


@pytest.mark.parametrize("shown", ["read 4", "read", "read 3\nand more"])
def test_a_wrong_output_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: str
) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"page\.md:22: shows\n" + shown):
        read(tmp_path, monkeypatch, GOOD.replace("read …", shown))
