"""Every chart: rows in, plotly figure out, for pages and reports alike."""
