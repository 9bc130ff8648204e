"""A chart as SVG without a browser: the part of plotly that our own charts use."""
