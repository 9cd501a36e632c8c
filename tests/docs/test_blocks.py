"""Every block of README and docs runs, or says why not; see tests/docs/story.py for what is smaller than it says."""

import pytest

from tests.docs.pages import PAGES, blocks
from tests.docs.story import Story, problems

RUNNING = [page for page in PAGES if any(block.not_run is None and block.language != "text" for block in blocks(page))]
MARKED = [block for page in PAGES for block in blocks(page) if block.not_run is not None]


@pytest.mark.parametrize("page", RUNNING, ids=lambda page: page.name)
def test_what_a_page_says_works_in_its_order(page, place):
    story = Story()
    for block in blocks(page):
        if block.not_run is None:
            try:
                story.run(block)
            except BaseException as error:
                error.add_note(f"in the block at {block}:\n{block.text}")
                raise


@pytest.mark.parametrize("block", MARKED, ids=str)
def test_what_is_not_run_says_why_and_names_only_what_exists(block):
    assert block.language in ("console", "python", "yaml")
    assert not list(problems(block))
