"""What is wrong with a text that is no TOML, said so that its author can mend it."""

import re
import tomllib

_PLACE = re.compile(
    r"^(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of.*)\)$"
)
_IN_QUOTES = r"'([^']*)'"
_NUMBER_KEY = re.compile(r"^\s*\+?[\d(][\d\s()./-]*\s*=")
_UNQUOTED = re.compile(r"=\s*(?!true\b|false\b|inf\b|nan\b)[A-Za-z]")
_COLON = re.compile(r"^\s*[\w-]+\s*:")
_OPEN_HEADER = re.compile(r"^\s*\[[^\]]*$")


def explain_syntax(error: tomllib.TOMLDecodeError, text: str) -> tuple[int, int, str, str]:
    """Line and column (from 1), what is wrong, and how to mend it."""
    lines = text.splitlines() or [""]
    match = _PLACE.match(str(error))
    what = match["what"] if match else str(error)
    if match and match["line"]:
        line, column = int(match["line"]), int(match["column"])
    elif "Unterminated" in what and (opening := _last_opening(text)) is not None:
        line, column = text.count("\n", 0, opening) + 1, opening - text.rfind("\n", 0, opening)
    else:
        line, column = len(lines), len(lines[-1]) + 1
    at = lines[min(line, len(lines)) - 1]
    if twice := re.match(r"Cannot declare \((.*)\) twice", what):
        said = f"the table [{'.'.join(re.findall(_IN_QUOTES, twice[1]))}] stands here twice"
    else:
        said = what[:1].lower() + what[1:]
    return line, column, said, _mend(what, at)


def _last_opening(text: str) -> int | None:
    return max((match.start() for match in re.finditer("\"\"\"|'''", text)), default=None)


def _mend(what: str, line: str) -> str:
    if "verwrite" in what or "twice" in what or "Cannot mutate" in what:
        return "The same key or table stands in the file twice: keep one."
    if any(quote in line for quote in "“”„‘’"):
        return 'Use straight quotes: "…".'
    if _NUMBER_KEY.match(line):
        return 'Put the number in quotes: "+15550100001" = …'
    if _OPEN_HEADER.match(line):
        return "Close the bracket: [name]."
    if _COLON.match(line):
        return "Write key = value: with =, not with a colon."
    if _UNQUOTED.search(line):
        return 'Put text in quotes: key = "text".'
    if "Unclosed array" in what:
        return "Close the list with ]."
    if "escape" in what:
        return r"Write \\ for a backslash, or use 'single quotes', where it stands for itself."
    if "Unterminated" in what or "Illegal character '\\n'" in what or line.count('"') % 2:
        return 'Close the quotes; text of several lines stands between """ and """.'
    return "Each line is key = value, or a [table], or a comment after #."
