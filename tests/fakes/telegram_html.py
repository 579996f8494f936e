"""What text remains of Telegram's HTML, and what does its parser refuse? Follows parse_html of telegram's tdlib."""

import re

TAGS = frozenset(["a", "b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "span", "tg-spoiler", "tg-emoji", "code", "pre", "blockquote"])
ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}  # the only named ones Telegram knows
VALUELESS = {("blockquote", "expandable")}

_ENTITY = re.compile(r"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(lt|gt|amp|quot));?")
_TAG = re.compile(r"""<(/?)([^\s>]*)((?:"[^"]*"|'[^']*'|[^>"'])*)(>?)""")
_ATTRIBUTE = re.compile(r"""\s*([^\s=]*)\s*(=?)\s*("[^"]*"|'[^']*'|[\w.:-]*)""")


class BadEntities(ValueError):
    """The text cannot be parsed; the message is Telegram's, without its prefix."""


def plain_text(html: str) -> str:
    """The text after parsing the entities; BadEntities for an unknown, unclosed or crossed tag.

    An ampersand that starts no known entity stays as it is, as at Telegram.
    """
    parts: list[str] = []
    opened: list[str] = []
    position = 0
    for tag in _TAG.finditer(html):
        parts.append(_decode(html[position : tag.start()]))
        position = tag.end()
        offset = len(html[: tag.start()].encode())
        if tag[1]:
            _close(opened, tag[2].lower(), bool(tag[4]), offset)
        else:
            opened.append(_open(tag[2].lower(), tag[3], bool(tag[4]), offset))
    if opened:
        raise BadEntities(f'Can\'t find end tag corresponding to start tag "{opened[-1]}"')
    return "".join([*parts, _decode(html[position:])])


def _open(name: str, attributes: str, complete: bool, offset: int) -> str:
    if name not in TAGS and (complete or attributes):
        raise BadEntities(f'Unsupported start tag "{name}" at byte offset {offset}')
    if not complete:
        raise BadEntities(f"Unclosed start tag at byte offset {offset}")
    found = _attributes(name, attributes, offset)
    if name == "span" and found.get("class") != "tg-spoiler":
        raise BadEntities(f'Tag "span" must have class "tg-spoiler" at byte offset {offset}')
    return name


def _close(opened: list[str], name: str, complete: bool, offset: int) -> None:
    if not opened:
        raise BadEntities(f"Unexpected end tag at byte offset {offset}")
    if not complete:
        raise BadEntities(f"Unclosed end tag at byte offset {offset}")
    if name != opened[-1]:
        raise BadEntities(f'Unmatched end tag at byte offset {offset}, expected "</{opened[-1]}>", found "</{name}>"')
    opened.pop()


def _attributes(tag: str, source: str, offset: int) -> dict[str, str]:
    found: dict[str, str] = {}
    position = 0
    while source[position:].strip():
        attribute = _ATTRIBUTE.match(source, position)
        assert attribute is not None  # every part of the pattern may be empty
        name, equals, value = attribute.groups()
        if not name:
            raise BadEntities(f'Empty attribute name in the tag "{tag}" at byte offset {offset}')
        if not equals and (tag, name) not in VALUELESS:
            raise BadEntities(f'Expected equal sign in declaration of an attribute of the tag "{tag}" at byte offset {offset}')
        found[name.lower()] = _decode(value.strip("\"'"))
        position = attribute.end()
    return found


def _decode(text: str) -> str:
    return _ENTITY.sub(_character, text)


def _character(entity: re.Match[str]) -> str:
    if entity[3]:
        return ENTITIES[entity[3]]
    code = int(entity[1], 16) if entity[1] else int(entity[2])
    return chr(code) if 0 < code < 0x110000 else entity[0]
