"""A parser of Bicep, for the part of the language that `infra/bicep` uses.

Microsoft's own compiler is a download that cannot be pinned with the other requirements; the tests
that must say where something is wrong need texts and symbols told apart, and a line for each node.
"""

from pathlib import Path

from tests.infra.syntax import (
    Array,
    BicepFile,
    Call,
    Entry,
    Expr,
    Index,
    Lambda,
    Literal,
    Loop,
    Member,
    Module,
    Name,
    Object,
    Operation,
    Output,
    Param,
    Resource,
    Statement,
    Text,
    UserType,
    Var,
)
from tests.infra.tokens import BicepError, Cursor, Token, tokens

_BINARY = (  # weakest first
    ("??",),
    ("||",),
    ("&&",),
    ("==", "!=", "=~", "!~"),
    ("<", "<=", ">", ">="),
    ("+", "-"),
    ("*", "/", "%"),
)
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


def parse(source: str) -> BicepFile:
    """The file's tree. Raises `BicepError` with the line."""
    return _Parser(tokens(source)).file()


def read(path: Path) -> BicepFile:
    """The tree of a file."""
    return parse(path.read_text(encoding="utf-8"))


class _Parser(Cursor):
    # --- statements -------------------------------------------------------------------------------

    def file(self) -> BicepFile:
        scope, statements = "resourceGroup", list[Statement]()
        self.skip_newlines()
        while self.here.kind != "end":
            if self.take("targetScope"):
                self.need("=")
                scope = self.need_text()
            else:
                statements.append(self._statement())
            if not self.take("\n"):
                raise BicepError(self.here.line, f"unexpected {self.here.value!r}")
            self.skip_newlines()
        return BicepFile(line=1, scope=scope, statements=tuple(statements))

    def _statement(self) -> Statement:
        decorators = self._decorators()
        word = self.need_name()
        line, name = self.here.line, self.need_name()
        match word:
            case "param":
                kind = self._type()
                default = self._expression() if self.take("=") else None
                return Param(
                    line=line, name=name, decorators=decorators, type=kind, default=default
                )
            case "var":
                self.need("=")
                return Var(line=line, name=name, decorators=decorators, value=self._value())
            case "output":
                kind = self._type()
                self.need("=")
                value = self._value()
                return Output(line=line, name=name, decorators=decorators, type=kind, value=value)
            case "type":
                self.need("=")
                return UserType(line=line, name=name, decorators=decorators, words=self._type())
            case "resource":
                kind, _, version = self.need_text().partition("@")
                existing = self.take("existing")
                condition, loop, body = self._body()
                return Resource(
                    line=line, name=name, decorators=decorators, type=kind, version=version,
                    existing=existing, condition=condition, loop=loop, body=body,
                )  # fmt: skip
            case "module":
                path = self.need_text()
                condition, loop, body = self._body()
                return Module(
                    line=line, name=name, decorators=decorators, path=path,
                    condition=condition, loop=loop, body=body,
                )  # fmt: skip
        raise BicepError(line, f"unknown statement {word}")

    def _decorators(self) -> tuple[Call, ...]:
        found = []
        while self.take("@"):
            one = self._postfix()
            if not isinstance(one, Call):
                raise BicepError(one.line, "a decorator is a call")
            found.append(one)
            self.need("\n")
        return tuple(found)

    def _body(self) -> tuple[Expr | None, Loop | None, Object]:
        """What follows the `=` of a resource or a module: condition, loop and the object."""
        self.need("=")
        value = self._value()
        loop = value if isinstance(value, Loop) else None
        inner = loop.body if loop else value
        condition = None
        if isinstance(inner, Operation) and inner.operator == "if":
            condition, inner = inner.operands
        if not isinstance(inner, Object):
            raise BicepError(inner.line, "a resource or a module is an object")
        return condition, loop, inner

    def _type(self) -> str:
        """The words of a type: up to `=` or the end of the line, over a whole `{ … }`."""
        words, depth = list[str](), 0
        while depth or not (self.here.kind == "newline" or self.here.value == "="):
            if self.here.kind == "end":
                raise BicepError(self.here.line, "a type that does not end")
            depth += {"{": 1, "}": -1}.get(self.here.value, 0)
            words.append(self.next().value)
        return " ".join(words).replace(" [ ]", "[]").replace("\n", ";")

    # --- expressions ------------------------------------------------------------------------------

    def _value(self) -> Expr:
        """An expression, or `if (…) { … }`."""
        line = self.here.line
        if self.take("if"):
            self.need("(")
            condition = self._expression()
            self.need(")")
            return Operation(line=line, operator="if", operands=(condition, self._expression()))
        return self._expression()

    def _expression(self) -> Expr:
        condition = self._binary(0)
        if not self.take("?"):
            return condition
        self.skip_newlines()
        first = self._expression()
        self.skip_newlines()
        self.need(":")
        self.skip_newlines()
        operands = (condition, first, self._expression())
        return Operation(line=condition.line, operator="?:", operands=operands)

    def _binary(self, level: int) -> Expr:
        if level == len(_BINARY):
            return self._unary()
        left = self._binary(level + 1)
        while self.here.kind == "sign" and self.here.value in _BINARY[level]:
            sign = self.next().value
            self.skip_newlines()
            operands = (left, self._binary(level + 1))
            left = Operation(line=left.line, operator=sign, operands=operands)
        return left

    def _unary(self) -> Expr:
        line = self.here.line
        for sign in ("!", "-"):
            if self.take(sign):
                return Operation(line=line, operator=sign, operands=(self._unary(),))
        return self._postfix()

    def _postfix(self) -> Expr:
        here = self._primary()
        while True:
            line = self.here.line
            if self.take("."):
                name = self.need_name()
                if self.here.value == "(" and self.here.kind == "sign":
                    here = Call(line=line, target=here, name=name, arguments=self._arguments())
                else:
                    here = Member(line=line, target=here, name=name, safe=False)
            elif self.take(".?"):
                here = Member(line=line, target=here, name=self.need_name(), safe=True)
            elif self.take("["):
                here = Index(line=line, target=here, index=self._expression())
                self.need("]")
            elif self.here.value == "!" and self.here.kind == "sign":
                self.next()  # "is not null": says nothing about the value
            else:
                return here

    def _primary(self) -> Expr:
        token = self.next()
        line = token.line
        match token.kind, token.value:
            case "number", digits:
                return Literal(line=line, value=int(digits))
            case "text", _:
                return self._text(token)
            case "name", word if word in _WORDS:
                return Literal(line=line, value=_WORDS[word])
            case "name", word if self.here.value == "(" and self.here.kind == "sign":
                return Call(line=line, target=None, name=word, arguments=self._arguments())
            case "name", word if self.take("=>"):
                self.skip_newlines()
                return Lambda(line=line, names=(word,), body=self._expression())
            case "name", word:
                return Name(line=line, name=word)
            case "sign", "{":
                return self._object(line)
            case "sign", "[":
                return self._array(line)
            case "sign", "(":
                inner = self._expression()
                self.need(")")
                return inner
        raise BicepError(line, f"unexpected {token.value!r}")

    def _text(self, token: Token) -> Expr:
        if len(token.parts) == 1:
            return Literal(line=token.line, value=token.value)
        parts: list[str | Expr] = []
        for place, part in enumerate(token.parts):
            if place % 2 == 0:
                parts.append(part)
            else:
                inner = tokens(part)
                relined = [Token(t.kind, t.value, token.line, t.parts) for t in inner]
                parts.append(_Parser(relined)._expression())
        return Text(line=token.line, parts=tuple(parts))

    def _arguments(self) -> tuple[Expr, ...]:
        self.need("(")
        found = []
        self.skip_newlines()
        while not self.take(")"):
            found.append(self._expression())
            self.skip_newlines()
            if self.take(","):
                self.skip_newlines()
            elif self.here.value != ")":
                raise BicepError(self.here.line, f"expected , or ), not {self.here.value!r}")
        return tuple(found)

    def _object(self, line: int) -> Object:
        entries = []
        self.skip_newlines()
        while not self.take("}"):
            token = self.next()
            if token.kind not in ("name", "text"):
                raise BicepError(token.line, f"expected a property, not {token.value!r}")
            key = self._text(token) if token.kind == "text" else None
            self.need(":")
            value = self._value()
            name = key if isinstance(key, Text) else token.value
            entries.append(Entry(line=token.line, key=name, value=value))
            self.separator("}")
        return Object(line=line, entries=tuple(entries))

    def _array(self, line: int) -> Expr:
        self.skip_newlines()
        if self.take("for"):
            return self._loop(line)
        items = []
        while not self.take("]"):
            items.append(self._expression())
            self.separator("]")
        return Array(line=line, items=tuple(items))

    def _loop(self, line: int) -> Loop:
        if self.take("("):
            first = self.need_name()
            self.need(",")
            names: tuple[str, ...] = (first, self.need_name())
            self.need(")")
        else:
            names = (self.need_name(),)
        self.need("in")
        source = self._expression()
        self.need(":")
        body = self._value()
        self.skip_newlines()
        self.need("]")
        return Loop(line=line, names=names, source=source, body=body)
