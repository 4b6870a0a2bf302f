"""Slack's markup as the sandbox reads it: in Python for the tests, in JavaScript on the page."""

from __future__ import annotations

import pytest

from sandbox.client import Workspace
from sandbox.mrkdwn import plain
from tests.support.sandbox_page_fixtures import chromium, visiting

#: The markup, and what a reader sees.
READ = [
    ("*bold* _it_ ~no~", "bold it no"),
    ("(*x*) *x*, *x*.", "(x) x, x."),
    ("snake_case 3*4 a~b", "snake_case 3*4 a~b"),
    ("_a_b_", "a_b"),
    ("é*x*é 日*x*本", "é*x*é 日*x*本"),
    ("* x * _ y _", "* x * _ y _"),
    # A zero-width space is no letter: it lets a mark format, in the middle of a word, too.
    ("a\u200b*b*\u200bc", "a\u200bb\u200bc"),
    ("\u200b*\u200bx\u200b*\u200b", "\u200b\u200bx\u200b\u200b"),
    ("`*x* _y_`", "*x* _y_"),
    ("∗x∗ ˍyˍ", "∗x∗ ˍyˍ"),
]


@pytest.mark.parametrize(("text", "reads"), READ)
def test_marks_format_where_slack_lets_them(text: str, reads: str) -> None:
    assert plain(text, lambda _: None, "UTC") == reads


@pytest.mark.browser
def test_the_page_reads_markup_as_the_tests_do() -> None:
    with (
        Workspace.start() as workspace,
        chromium() as browser,
        visiting(browser, workspace) as page,
    ):
        script = """async (texts) => {
            const { mrkdwn } = await import('/page/mrkdwn.js');
            return texts.map((text) => {
                const line = document.createElement('p');
                line.append(...mrkdwn(text));
                return line.textContent;
            });
        }"""
        shown = page.evaluate(script, [text for text, _ in READ])

    assert shown == [reads for _, reads in READ]
