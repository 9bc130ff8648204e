"""What the pages are made of: the look, cards, pickers, numbers in words."""
