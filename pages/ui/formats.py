"""Text from outside made safe for markdown. Numbers are worded in `data.words`, for pages and reports alike."""

import re
import string

from data.text import plain

_ESCAPED = str.maketrans({mark: "\\" + mark for mark in string.punctuation})


def name(text: object, limit: int = 120) -> str:
    """A name that came with a file, safe inside st.markdown: one plain line with every mark of markdown escaped."""
    # Streamlit draws its own logo for :streamlit: even after an escape; an invisible joiner stops it.
    return re.sub(r":(?=streamlit:)", ":\u2060", plain(text, limit)).translate(_ESCAPED)


def short(sha256: str) -> str:
    """The first twelve digits of a hash: enough to tell files apart by eye."""
    return sha256[:12]
