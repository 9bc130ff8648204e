"""What a sizing report says, in every format: its contents, its rows, its schema."""
