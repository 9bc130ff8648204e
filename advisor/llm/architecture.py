"""A language model's shape: counts of parameters by role, and what its cache holds. Exact, from published numbers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """One transformer. Counts are of parameters; a mixture's `expert` and `experts_per_token` are 0 where it is dense.

    `windows` holds each layer's attention window in tokens, None for the whole context. `latent` is the width of a
    compressed key-value cache (multi-head latent attention), 0 where keys and values are kept as they are.
    """

    name: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    intermediate: int
    tied: bool
    embedding_parameters: int
    head_parameters: int
    attention_parameters: int
    dense_parameters: int
    norm_parameters: int
    expert_parameters: int = 0
    experts: int = 0
    experts_per_token: int = 0
    expert_layers: int = 0
    latent: int = 0
    encoder: bool = False
    windows: tuple[int | None, ...] = ()
    most_positions: int | None = None
    stored_as: str = "bf16"
    notes: tuple[str, ...] = ()

    @property
    def parameter_count(self) -> int:
        """All of them; tied embeddings once."""
        return self.outside_experts + self.expert_parameters * self.experts * self.expert_layers

    @property
    def outside_experts(self) -> int:
        """Everything but the routed experts: read for every token."""
        return (
            self.embedding_parameters + self.head_parameters + self.attention_parameters + self.dense_parameters
            + self.norm_parameters
        )  # fmt: skip

    @property
    def active_parameter_count(self) -> int:
        """Those one token passes through: all but the experts it is not routed to."""
        return self.outside_experts + self.expert_parameters * self.experts_per_token * self.expert_layers

    @property
    def kv_elements_per_token(self) -> int:
        """Numbers one token adds to the key-value cache of all layers; none in an encoder."""
        if self.encoder:
            return 0
        per_layer = self.latent or 2 * self.kv_heads * self.head_size
        return per_layer * self.layers

    def kv_elements(self, context: int) -> int:
        """Numbers in the cache of one sequence of this length; a window keeps no more than its own tokens."""
        if self.encoder:
            return 0
        per_layer = self.latent or 2 * self.kv_heads * self.head_size
        windows = self.windows or (None,) * self.layers
        return sum(per_layer * (context if window is None else min(context, window)) for window in windows)
