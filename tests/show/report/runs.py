"""A run in which everybody lies in wait, and what reads its page."""

from __future__ import annotations

from html.parser import HTMLParser

import tgsci as tg

SCRIPT = "<script>document.documentElement.dataset.hacked = 1</script>"
HOSTILE = [
    SCRIPT,
    f"</script></pre></code></details></title></style>{SCRIPT}",
    '"><img src=x onerror="document.documentElement.dataset.hacked = 2">',
    "'><svg onload=document.documentElement.dataset.hacked=3>",
    "--><!-- ]]> &lt; &#60; {{7*7}} ${7*7}",
    '" onfocus="document.documentElement.dataset.hacked=4" autofocus tabindex="1',
    "javascript:document.documentElement.dataset.hacked=5",
    "abc\u202edcba\u202c\u2066x\u2069\u200b\ufeff",
    "bell\x07 escape\x1b[31m nul\x00 half \udc80",
    "Ω≈ç √ 日本語 עברית 🧪 e\u0301",
]
VOID = {"meta", "img", "input", "br"}


class Page(HTMLParser):
    """A page's elements as (tag, attributes), its text, and whatever was not closed in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self._open, self.crossed = [], [], [], []
        self.feed(text)
        self.close()
        self.crossed += self._open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data):
        if self._open and self._open[-1] not in ("script", "style"):
            self.texts.append(data)

    @property
    def text(self):
        return "".join(self.texts)

    def all(self, tag, **attributes):
        return [a for t, a in self.elements if t == tag and attributes.items() <= a.items()]


class Sizes(tg.Loss):
    """The length of a text. Everything it says is what a text says, and a text may say anything."""

    name = f"size {HOSTILE[1]}"
    units = {"size": f"chars {HOSTILE[2]}"}

    def validate(self, value):
        if value == "refused":
            raise tg.InvalidValue(f"refused {HOSTILE[0]}")
        return value

    def evaluate(self, value):
        if "fail" in value:
            raise tg.MeasurementError(f"it failed {HOSTILE[2]}")
        return tg.Feedback(
            float(len(value)) / 7,
            f"report on {value} {HOSTILE[1]}",
            {"size": len(value), HOSTILE[2]: 1.0},
            {HOSTILE[0]: max(0.0, len(value) - 60)},
            {"pose.sdf": f"pose of {value}", f"../../{HOSTILE[2]}.sdf": b"\x00\xff", "big.bin": b"0" * 300_000},
        )


class Round(tg.Proposer):
    name = HOSTILE[2]

    def __init__(self, *proposals):
        super().__init__()
        self.proposals = proposals

    def ask(self, trials, n, rng):
        done = sum(1 for t in trials if t.round)
        return list(self.proposals[done : done + n])


def problem(**settings):
    defaults = {
        "loss": Sizes(),
        "start": ["a start value, rather long"],
        "rules": Round(tg.Proposal("shorter", "because", 0, "cut"), tg.Proposal("fail", "why not", 0)),
        "task": f"Be short. {HOSTILE[0]}",
        "domain": "toy",
        "config": {"start": ["a start value, rather long"], "key": HOSTILE[1]},
        "name": f"Toy {HOSTILE[0]}",
        "columns": ["size"],
    }
    return tg.Problem(**{**defaults, **settings})
