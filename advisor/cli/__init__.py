"""The subcommands of `python -m advisor`: one module each, with `add(subparsers)` and `run(args)`."""
