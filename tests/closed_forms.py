"""FLOP (2 a multiply-add) and parameters of the nine shapes of make_models, written out by hand."""


def mlp():
    return 2 * (128 * 512 + 512 * 64 + 64 * 10)


def digits_cnn():
    # three 3x3 convolutions at 8x8, 8x8 and 4x4 positions, then 256 -> 128 -> 10
    return 2 * (64 * 9 * (1 * 32 + 32 * 64) + 16 * 9 * 64 * 64 + 256 * 128 + 128 * 10)


def mobilenetv2():
    total, side, inside = 112 * 112 * 27 * 32, 112, 32  # the first 3x3 convolution, stride 2
    for expand, outside, count, stride in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ):  # fmt: skip
        for place in range(count):
            hidden = inside * expand
            after = side // (stride if place == 0 else 1)
            total += side * side * inside * hidden * (expand > 1)  # widen (1x1), unless there is nothing to widen
            total += after * after * hidden * 9  # depthwise 3x3
            total += after * after * hidden * outside  # narrow (1x1)
            side, inside = after, outside
    return 2 * (total + 49 * 320 * 1280 + 1280 * 1000)


def resnet50():
    total, inside, side = 112 * 112 * 49 * 3 * 64, 64, 56
    for width, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for place in range(count):
            after = side // (stride if place == 0 else 1)
            total += side * side * inside * width + after * after * (9 * width * width + width * 4 * width)
            total += after * after * inside * 4 * width * (place == 0)  # the shortcut's 1x1
            side, inside = after, 4 * width
    return 2 * (total + 2048 * 1000)


def transformer(layers, tokens, width):
    """A layer: four projections, a feed-forward of four widths (12 width^2 a token), QK^T and AV (2 tokens width)."""
    return 2 * layers * tokens * (12 * width * width + 2 * tokens * width)


def vit_s():
    return transformer(12, 197, 384) + 2 * (196 * 768 * 384 + 384 * 1000)  # 16x16x3 = 768 numbers a patch


def lstm():
    return 2 * (64 * 4 * 512 * (128 + 512) + 64 * 4 * 512 * (512 + 512) + 512 * 100)


def dlrm():
    # 13-512-256-64, the products of 27 vectors of 64 with each other, 415-512-256-1
    return 2 * (13 * 512 + 512 * 256 + 256 * 64 + 27 * 27 * 64 + 415 * 512 + 512 * 256 + 256)


def bert_base():
    return transformer(12, 128, 768) + 2 * (768 * 768 + 768 * 10)


def gpt2_small():
    return transformer(12, 128, 768) + 2 * 128 * 768 * 50_257


CLOSED_FORMS = {
    form.__name__: form for form in (mlp, digits_cnn, mobilenetv2, resnet50, vit_s, lstm, dlrm, bert_base, gpt2_small)
}
PARAMETERS = {
    "mlp": 99_530, "digits_cnn": 90_250, "mobilenetv2": 3_504_872, "resnet50": 25_557_032, "vit_s": 22_050_664,
    "lstm": 3_467_364, "dlrm": 33_779_521, "bert_base": 109_489_930, "gpt2_small": 124_439_808,
}  # fmt: skip
