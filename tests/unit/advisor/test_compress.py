"""A step is called what people call it."""

import pytest

from advisor.compress import titled


@pytest.mark.parametrize(
    ("technique", "options", "says"),
    [
        ("structured", {"removed_frac": 0.5}, "Structured pruning (50 % removed)"),
        ("weight_only", {"bits": 4, "group_size": 32}, "Weight-only (4 bits, groups of 32)"),
        ("int8_static", {"operators": "all", "calibration": "minmax"}, "INT8, static (all operators)"),
        ("int8_mixed", {"max_loss": 0.01}, "INT8, mixed precision (loss up to 0.01)"),
        ("low_rank", {"energy_frac": 0.999}, "Low rank (99.9 % of the energy)"),
        ("wanda", {"sparsity_frac": 0.7, "compensation": "none"}, "Wanda pruning (70 % zeros)"),
        ("int8_static", {"operators": "all", "exclude": ["a", "b"]}, "INT8, static (all operators, 2 layers left out)"),
        ("weight_only", {"embeddings": True, "layers": []}, "Weight-only (embeddings)"),
        ("sparse_storage", {"form": "smallest"}, "Sparse storage"),
        ("fp16", {}, "FP16"),
    ],
)
def test_options_are_words(technique, options, says):
    assert titled(technique, options).title == says
