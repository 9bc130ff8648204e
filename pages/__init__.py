"""Room 3, show: pages read widgets, call one or two public functions of the rooms to their left, and show results."""
