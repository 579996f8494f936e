"""How a reply fits into what Telegram takes."""

from collections.abc import Callable

import pytest

from alerts.channels.telegram import markup
from subscribers.bot import texts_muting, texts_thresholds
from subscribers.bot.replies import MAX_TEXT, fitting
from tests.fakes.telegram_html import plain_text


@pytest.mark.parametrize(
    "html",
    [
        "<b>Title</b>\n" + "a line of text\n" * 400,
        "<b>Title\n<i>" + "a line of text\n" * 400 + "</i></b>",
        "&amp;" * 3000,
        "<code>" + "x" * 5000 + "</code>",
        "😀" * 3000,
        "<pre>\n" + "😀 &lt;\n" * 900 + "</pre>",
    ],
)
def test_a_text_that_is_too_long_is_cut_where_no_tag_or_character_breaks(html: str) -> None:
    cut = fitting(html)
    assert len(cut.encode("utf-16-le")) // 2 <= MAX_TEXT
    assert plain_text(cut).endswith("…")
    assert len(cut) > MAX_TEXT // 3


def test_a_text_that_fits_stays_as_it_is() -> None:
    assert fitting("<b>x</b>" + "y" * 4000) == "<b>x</b>" + "y" * 4000


def test_rows_without_buttons_are_no_keyboard() -> None:
    assert markup([]) is None and markup([[]]) is None
    keyboard = markup([[("why", "w:17")], []])
    assert keyboard is not None
    assert [[(button.text, button.callback_data) for button in row] for row in keyboard.inline_keyboard] == [[("why", "w:17")]]


@pytest.mark.parametrize(("listed", "most"), [(texts_muting.mutes, texts_muting.MOST), (texts_thresholds.thresholds, texts_thresholds.MOST)])
def test_a_list_that_has_no_buttons_for_all_says_so(listed: Callable[[int], str], most: int) -> None:
    assert f"These are {most} of {most + 1}." in listed(most + 1)
    assert "These are" not in listed(most)
