"""The closed forms, by hand."""

from profiler import flops


def test_matmul_broadcasts_and_joins_the_batch_to_one_matrix():
    assert flops.matmul(3, 4, 5, 6).flop == 2 * 3 * 4 * 5 * 6
    assert flops.matmul_of((2, 3, 4, 5), (5, 6)).dims == {"batch": 1, "m": 24, "n": 6, "k": 5}
    assert flops.matmul_of((2, 1, 4, 5), (7, 5, 6)).dims == {"batch": 14, "m": 4, "n": 6, "k": 5}
    assert flops.matmul_of((5,), (5,)).flop == 10
    assert flops.matmul_of((3, 5), (5,)).flop == 30


def test_convolution_counts_each_output_position_and_divides_by_groups():
    # 8x8 outputs, 6 channels, each of 3x3 kernel positions over 4/2 input channels
    cost = flops.convolution((1, 4, 8, 8), (6, 2, 3, 3), (1, 6, 8, 8), groups=2, bias=True)
    assert cost.flop == 2 * 64 * 6 * 2 * 9
    assert cost.other_flop == 6 * 64
    # depthwise: one input channel each
    assert flops.convolution((1, 32, 10, 10), (32, 1, 3, 3), (1, 32, 10, 10), groups=32).flop == 2 * 100 * 32 * 9


def test_transposed_convolution_counts_each_input_position():
    # 5x5 inputs of 8 channels, each spread over 2x2 positions of 3 channels
    assert flops.convolution((1, 8, 5, 5), (8, 3, 2, 2), (1, 3, 10, 10), transposed=True).flop == 2 * 25 * 8 * 3 * 4


def test_channels_last_is_the_same_work():
    first = flops.convolution((2, 3, 8, 9), (6, 3, 3, 3), (2, 6, 8, 9))
    last = flops.convolution((2, 8, 9, 3), (6, 3, 3, 3), (2, 8, 9, 6), channels_last=True)
    assert first.flop == last.flop == 2 * 2 * 72 * 6 * 3 * 9


def test_attention_is_two_products():
    cost = flops.attention(2, 4, 10, 12, 16, 8)
    assert cost.flop == 2 * 2 * 4 * 10 * 12 * 16 + 2 * 2 * 4 * 10 * 12 * 8
    assert cost.other_flop == 6 * 2 * 4 * 10 * 12


def test_recurrent_layers():
    # an LSTM of 512 units over 64 steps of 128 numbers: 4 gates of (128 + 512) products
    assert flops.recurrent(1, 64, 128, 512, 4, 1).flop == 2 * 64 * 4 * 512 * 640
    assert flops.recurrent(3, 5, 7, 11, 3, 2).flop == 2 * 3 * 5 * 2 * 3 * 11 * 18


def test_einsum():
    assert flops.einsum("bhqd,bhkd->bhqk", [(2, 3, 4, 5), (2, 3, 6, 5)]).flop == 2 * 2 * 3 * 4 * 6 * 5
    assert flops.einsum("bhqd,bhkd->bhqk", [(2, 3, 4, 5), (2, 3, 6, 5)]).dims == {"batch": 6, "m": 4, "n": 6, "k": 5}
    assert flops.einsum("...ij,...jk->...ik", [(7, 2, 3), (7, 3, 4)]).flop == 2 * 7 * 2 * 3 * 4
    assert flops.einsum("ij,jk", [(2, 3), (3, 4)]).flop == 2 * 2 * 3 * 4
    assert flops.einsum("i,j->ij", [(2,), (3,)]).flop == 0  # an outer product adds nothing up
    assert flops.einsum("i,j->ij", [(2,), (3,)]).other_flop == 6
    assert flops.einsum("ij->ji", [(2, 3)]).flop == 0
    # ab,bc,cd -> ad from the left: 2*(2*3*4) + 2*(2*4*5)
    assert flops.einsum("ab,bc,cd->ad", [(2, 3), (3, 4), (4, 5)]).flop == 48 + 80
