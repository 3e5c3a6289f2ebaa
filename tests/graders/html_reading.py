"""Reads a page as HTML says, and complains where it is not well formed."""

from html.parser import HTMLParser

VOID = {"br", "hr", "input", "meta", "link", "img"}


class Reader(HTMLParser):
    """What a page holds.

    Attributes:
        ids: Every id, in order.
        tags: Every element: its name and attributes.
        texts: Every text, outside of style and script.
        inside: The text of each style and script, by tag and id.
    """

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.ids, self.tags, self.texts, self.inside = [], [], [], {}
        self._open, self._raw = [], None
        self.feed(html)
        self.close()
        assert self._open == [], f"left open: {self._open}"

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        assert len(given) == len(attrs), f"an attribute twice: {tag} {attrs}"
        self.tags.append((tag, given))
        if "id" in given:
            self.ids.append(given["id"])
        if tag not in VOID:
            self._open.append(tag)
        if tag in {"script", "style"}:
            self._raw = (tag, given.get("id"))
            self.inside[self._raw] = ""

    def handle_endtag(self, tag):
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag, f"</{tag}> closes another"
        self._raw = None

    def handle_data(self, data):
        if self._raw:
            self.inside[self._raw] += data
        else:
            self.texts.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def unknown_decl(self, data):
        raise AssertionError(f"a declaration: {data}")

    def text(self):
        """All that is read, with plain spaces."""
        return "".join(self.texts).replace("\N{NO-BREAK SPACE}", " ")
