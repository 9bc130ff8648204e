"""The look: colours of both modes and the CSS that Streamlit's theme cannot say."""

import streamlit as st

# name: (light, dark). The theme's backgroundColor is the card; the page behind it is tinted here.
COLOURS = {
    "page": ("#F4F7F6", "#0B1211"),
    "card": ("#FFFFFF", "#121D1B"),
    "line": ("#DDE5E3", "#22322E"),
    "mute": ("#5B6B68", "#9DB0AC"),
    "hero": ("#EAF5F2", "#112824"),
    "heroline": ("#BCDDD6", "#1F4A42"),
    "accent": ("#0B6E62", "#4FD1BD"),
    "stop": ("#FCF1F2", "#2A1719"),
    "stopline": ("#EFC6CC", "#5A2A31"),
    "warn": ("#FDF5EC", "#2A2014"),
    "warnline": ("#F0D6B8", "#57401F"),
}
_VARIABLES = ";".join(f"--rs-{key}:light-dark({light},{dark})" for key, (light, dark) in COLOURS.items())
_CARD = "background:var(--rs-card);border:1px solid var(--rs-line);border-radius:.75rem"
_CSS = f"""
:root{{{_VARIABLES}}}
[data-testid=stAppViewContainer]{{background:var(--rs-page)}}
[data-testid=stHeader]{{background:transparent}}
[data-testid=stMainBlockContainer]{{max-width:1240px}}
@media (min-width:768px){{[data-testid=stMainBlockContainer]{{padding-top:2.4rem}}}}
[class*="st-key-facts-"] table{{width:100%}}
[class*="st-key-facts-"] td{{vertical-align:top}}
[class*="st-key-facts-"] td:first-child{{width:36%;padding-right:1.2rem}}
@media (min-width:768px){{[class*="st-key-facts-"] td:first-child{{width:1%}}
[class*="st-key-facts-"] td:first-child *{{white-space:nowrap!important}}}}
[class*="st-key-facts-"] td:last-child,[class*="st-key-facts-"] td:last-child *{{white-space:normal!important;
overflow-wrap:anywhere!important}}
[class*="st-key-step-"]{{border-left:3px solid var(--rs-heroline);padding:.1rem 0 .1rem .8rem}}
[class*="st-key-card-"]{{{_CARD};padding:1.05rem 1.2rem}}
[class*="st-key-metric-"]{{{_CARD};padding:.85rem 1rem}}
[class*="st-key-hero-"]{{background:var(--rs-hero);border:1px solid var(--rs-heroline);border-radius:.75rem;
padding:1.2rem 1.3rem}}
[class*="st-key-stop-"]{{background:var(--rs-stop);border:1px solid var(--rs-stopline);border-radius:.75rem;
padding:1.05rem 1.2rem}}
[class*="st-key-warn-"]{{background:var(--rs-warn);border:1px solid var(--rs-warnline);border-radius:.75rem;
padding:.8rem 1.1rem}}
[class*="st-key-empty-"]{{border:1.5px dashed var(--rs-heroline);border-radius:.75rem;padding:2.2rem 1.2rem}}
[class*="st-key-sign-"] [role=img]{{font-size:2.4rem!important;width:auto!important;height:auto!important;
color:var(--rs-accent)}}
[class*="st-key-empty-"] [data-testid=stPageLink] a,
.st-key-onward [data-testid=stPageLink] a{{border:1px solid var(--rs-line);background:var(--rs-card);
padding:.35rem .9rem}}
[class*="st-key-empty-"] [data-testid=stPageLink] a{{margin-top:.4rem}}
[class*="st-key-card-"] h2,[class*="st-key-hero-"] h2{{padding:0 0 1rem}}
[data-testid=stExpander] summary,[data-testid=stExpander] summary *{{opacity:1!important}}
[data-testid=stExpander] summary{{color:var(--rs-mute)}}
[data-testid=stCaptionContainer]{{color:var(--rs-mute)!important;opacity:1!important}}
[data-testid=stCaptionContainer] p{{color:inherit;opacity:1}}
[data-testid=stMetricLabel]{{color:var(--rs-mute)}}
[data-selected=true] p,[role=tab][aria-selected=true] p,[data-testid=stSliderThumbValue] p{{color:var(--rs-accent)}}
[data-testid=stMetric] .stMarkdownEllipsis,[data-testid=stMetric] .stMarkdownEllipsis p,
[data-testid=stMetricDeltaDescription]{{white-space:normal!important;overflow:visible!important}}
[data-testid=stMetric] div:has(>[data-testid=stMetricDelta]){{flex-wrap:wrap;row-gap:.1rem}}
[data-testid=stMetricValue]{{font-variant-numeric:tabular-nums;letter-spacing:-.01em}}
button[data-selected=true] p,button[data-selected=true] [data-testid=stIconMaterial]{{color:var(--rs-accent)}}
[data-testid=stTable] [data-testid=stMarkdownContainer]{{overflow:visible;max-width:none}}
[data-testid=stTable] td{{vertical-align:top;max-width:none}}
[data-testid=stTable] table,[data-testid=stMarkdownContainer] table{{font-variant-numeric:tabular-nums}}
"""


# Charts are drawn for a mode on the server. Where the system turns while a page is open, they are told apart from the
# page by a colour that the app's own mode decides, and turned over (hues stay) until the page runs again.
# ("<" is escaped: a style that looks as if it held a tag is thrown away.)
_TURNED = r"""
@property --rs-now{{syntax:"\3c color\3e ";inherits:true;initial-value:gray}}
[data-testid=stApp]{{--rs-now:light-dark(rgb(255,255,255),rgb(0,0,0))}}
@container style(--rs-now:{other}){{.js-plotly-plot .plot-container{{filter:invert(.93) hue-rotate(180deg)}}}}
"""
OTHER = {"light": "rgb(0,0,0)", "dark": "rgb(255,255,255)"}


def apply() -> None:
    """Put the CSS on the page. Its colours follow the browser's mode by themselves."""
    st.html(f"<style>{_CSS}{_TURNED.format(other=OTHER[mode()])}</style>")


def mode() -> str:
    """ "light" or "dark", as the browser shows the app now."""
    return "dark" if st.context.theme.type == "dark" else "light"
