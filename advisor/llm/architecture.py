"""A language model's shape: counts of parameters by role, and what its cache holds. Exact, from published numbers."""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """One transformer. Counts are of parameters; a mixture's `expert` and `experts_per_token` are 0 where it is dense.

    `windows` holds each caching layer's attention window in tokens, None for the whole context. `latent` is the width
    of a compressed key-value cache (multi-head latent attention), 0 where keys and values are kept as they are.
    `kv_widths` holds the numbers a token adds to each caching layer, where layers differ or only some of them attend.
    `state_elements` are a recurrent layer's numbers, which a sequence keeps whatever its length. An encoder-decoder has
    `encoder_parameters`, passed by what is read and not by what is written, and `cross_elements`: numbers each token
    it read (`read_tokens`, where that is fixed) leaves in the decoder's caches. `tower_parameters` see or hear: held,
    and passed by no token of text.
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
    kv_widths: tuple[int, ...] = ()
    state_elements: int = 0
    encoder_parameters: int = 0
    cross_elements: int = 0
    read_tokens: int | None = None
    tower_parameters: int = 0
    most_positions: int | None = None
    stored_as: str = "bf16"
    kind: str = ""
    notes: tuple[str, ...] = ()

    @property
    def parameter_count(self) -> int:
        """All of them; tied embeddings once."""
        return self.outside_experts + self.routed_parameters + self.aside_parameters

    @property
    def routed_parameters(self) -> int:
        """All experts a token is routed to a few of."""
        return self.expert_parameters * self.experts * self.expert_layers

    @property
    def aside_parameters(self) -> int:
        """Held, and not passed while a token is written: an encoder's and a tower's."""
        return self.encoder_parameters + self.tower_parameters

    @property
    def outside_experts(self) -> int:
        """Everything but the routed experts and what stands aside: read for every token."""
        return (
            self.embedding_parameters + self.head_parameters + self.attention_parameters + self.dense_parameters
            + self.norm_parameters
        )  # fmt: skip

    @property
    def looked_up_parameters(self) -> int:
        """Tables of which a token reads its row and is multiplied with nothing: words where the head is another table
        or nothing is written, places, a table a layer (Gemma 3n and 4)."""
        head = self.vocabulary * self.hidden if self.tied and not self.encoder else 0
        return max(0, self.embedding_parameters - head)

    @property
    def active_parameter_count(self) -> int:
        """Those a request of text passes through: all but the experts no token of it is routed to, and towers."""
        return self.written_parameters + self.encoder_parameters

    @property
    def written_parameters(self) -> int:
        """Those one written token passes through, its embedding table included."""
        return self.outside_experts + self.expert_parameters * self.experts_per_token * self.expert_layers

    @cached_property
    def caches(self) -> tuple[tuple[int, int | None], ...]:
        """(numbers a token adds, window) of every layer that keeps a cache."""
        if self.encoder:
            return ()
        alike = self.latent or 2 * self.kv_heads * self.head_size
        widths = self.kv_widths or ((alike,) * self.layers if alike else ())
        return tuple(zip(widths, self.windows or (None,) * len(widths), strict=True))

    def kv_elements(self, context: int) -> int:
        """Numbers in the cache of one sequence of this length; a window keeps no more than its own tokens, a recurrent
        state is as large whatever the length."""
        held = sum(width * (context if window is None else min(context, window)) for width, window in self.caches)
        return held + self.state_elements + self.cross_elements * (self.read_tokens or context)

    def attended_tokens(self, context: int) -> int:
        """Tokens the next one attends to, over all layers."""
        return sum(context if window is None else min(context, window) for _, window in self.caches)
