"""Every block of the package, and a user's own, is drawn alone by one call."""

import inspect
import re

import keras
import pytest
from test_blocks import BLOCKS

import keras_convnets as k
from keras_convnets import plot_block
from keras_convnets.architectures.course_notes import blocks as notes

L = keras.layers
NOTES = {
    "conv_relu_pool": notes.conv_relu_pool(4),
    "conv_pool_relu": notes.conv_pool_relu(4),
    "residual_block": notes.residual_block(16, (2, 2)),
    "plain_residual_block": notes.plain_residual_block,
    "notes_inception_a": notes.inception_a,
}


def drawn(block, shape=(8, 33, 33), **options):
    figure = plot_block(block, shape, "block.svg", **options)
    return figure.path.read_text(encoding="utf-8")


def words_of(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def boxes(svg):
    return len(re.findall(r'<g id="box\d+" class="node', svg))


@pytest.mark.parametrize("block", (BLOCKS | NOTES).values(), ids=BLOCKS | NOTES)
def test_every_block_of_the_package_is_drawn(block):
    svg = drawn(block)
    x = keras.Input((33, 33, 8) if k.channel_axis() == -1 else (8, 33, 33))
    layers = keras.Model(x, block(x)).layers
    assert boxes(svg) == len(layers)
    assert "8 × 33 × 33" in svg
    assert not [text for text in words_of(svg) if re.search(r"block\d|_\d+$|stage", text)]


def test_a_new_block_is_not_forgotten():
    """What is a block: a function of a public name, made in a family, that returns a function."""
    families = "keras_convnets.architectures."
    not_blocks = {"ends_in_addition", "ends_in_activation", "shortcut"}
    not_blocks |= {"shortcut_a", "shortcut_b", "shortcut_c"}  # of two tensors
    public = {name: getattr(k, name) for name in k.__all__}
    blocks = {
        name
        for name, value in public.items()
        if inspect.isfunction(value) and value.__module__.startswith(families)
    }
    assert blocks - not_blocks == {name.split()[0] for name in BLOCKS}


def test_names_are_without_a_stage():
    svg = drawn(k.basic_block_v1(16, (2, 2)))
    for name in ("conv1", "bn2", "shortcut_conv", "add"):
        assert f">{name}<" in svg
    assert "conv1" not in words_of(drawn(k.basic_block_v1(16), show_layer_names=False))


def own(x):
    y = L.Conv2D(8, 3, padding="same")(x)
    return L.Add(name="sum_2")([x, L.Conv2D(8, 1)(y)])


def test_a_block_of_ones_own_is_drawn_alike_each_time():
    first, second = drawn(own), drawn(own)
    assert first == second
    for words in ("own", ">conv2d<", ">conv2d (2)<", ">sum_2<"):
        assert words in first


def test_layers_and_models_are_blocks():
    model = keras.Sequential([L.Conv2D(4, 3), L.ReLU()], name="two")
    assert boxes(drawn(model)) == 3
    assert ">two<" in drawn(model)
    assert boxes(drawn(L.Conv2D(4, 3, name="alone"))) == 2


def test_options():
    words = words_of(drawn(own, title="A block", legend=False, show_cost=False))
    assert "A block" in words
    assert not any("convolution" in word or "MACs" in word for word in words)
    background = 'fill="white" stroke="none"'
    assert background in drawn(own)
    assert background not in drawn(own, transparent=True)
    across = drawn(own, rankdir="LR")
    width, height = re.search(r'width="(\d+)pt" height="(\d+)pt"', across).groups()
    assert int(width) > int(height)
    assert plot_block(own, (8, 9, 9), "block.png")._repr_mimebundle_().keys() == {"image/png"}


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (
            k.basic_block,
            "received basic_block, which cannot be applied to 8 × 33 × 33 (ValueError: filters",
        ),
        (k.basic_block, "call it first: basic_block(filters)"),
        (k.vgg_stage, "call it first: vgg_stage(convolutions, filters)"),
        (k.inception_b, "call it first: inception_b()"),
        (k.subsampling, "call it first: subsampling()"),
        (3, "received 3; expected a function from tensor to tensor"),
        (k.conv(8, 99, padding="valid"), "cannot be applied to 8 × 33 × 33 (TooSmallError"),
        (k.branches(a=k.conv(3, 1)), "returns no tensor but a list"),
        (k.chain(), "has no layers"),
        (lambda x: keras.Input((3, 3, 3)), "returns a tensor of another graph"),
    ],
)
def test_what_is_no_block_is_refused(block, words, tmp_path):
    with pytest.raises(ValueError, match="block: received") as caught:
        plot_block(block, (8, 33, 33), tmp_path / "block.svg")
    assert words in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="which reads as"):
        plot_block(k.plain_block(8), (33, 33, 3), "block.svg")
