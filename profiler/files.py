"""What a file is, byte by byte: its hash, streamed."""

import hashlib
from collections.abc import Sequence
from pathlib import Path


def sha256_of(path: Path, companions: Sequence[Path] = ()) -> str:
    """The SHA-256 of a file; with companions (weights kept outside), of all their hashes in order of name."""
    digests = [_digest(path), *(_digest(other) for other in sorted(companions))]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def bytes_on_disk(path: Path, companions: Sequence[Path] = ()) -> int:
    """Bytes of a file and its companions."""
    return sum(file.stat().st_size for file in (path, *companions))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
