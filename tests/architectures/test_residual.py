"""What the residual families share: how a network ends, and what a block is called with."""

import functools

import pytest

import keras_convnets as k
from keras_convnets.keras_private import without_values
from keras_convnets.units import CLASSIC, TORCH

BUILDERS = {
    "classic": k.ResnetBuilder,
    "v1": k.ResnetV1Builder,
    "v2": k.ResnetV2Builder,
    "cifar": k.CifarResnetBuilder,
}


def built(builder, block, *args, **options):
    with without_values():
        return BUILDERS[builder].build((3, 32, 32), 4, block, (1, 1), *args, **options)


def end(model):
    """Return the names of the layers after the last block, and the kind of that block's last."""
    names = [layer.name for layer in model.layers]
    last = max(i for i, name in enumerate(names) if name.startswith("conv3_block1"))
    return names[last + 1 :], names[last].removeprefix("conv3_block1_").rstrip("0123456789")


def needs_activation(model):
    """Return whether a network activates after its last block; never twice, never not at all."""
    names, kind = end(model)
    assert names[-2:] == ["head_pool", "head_dense"]
    assert names[:-2] in ([], ["final_bn", "final_relu"])
    assert (kind == "relu") != bool(names[:-2])
    return bool(names[:-2])


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize(
    ("block", "is_open"),
    [
        (k.basic_block, True),
        (k.bottleneck, True),
        (k.basic_block_v2, True),
        (k.bottleneck_v2, True),
        (k.bottleneck_v2_keras, True),
        (k.basic_block_v1, False),
        (k.bottleneck_v1, False),
        (k.bottleneck_v1_5, False),
        (k.plain_block, False),
        (k.wide_bottleneck, False),
        (k.resnext_block, False),
        (k.se_bottleneck, False),
        (k.se_bottleneck_v1_5, False),
        (k.se_resnext_block, False),
    ],
)
def test_a_network_ends_as_its_blocks_need_in_every_builder(builder, block, is_open):
    assert needs_activation(built(builder, block)) == is_open


@pytest.mark.parametrize(
    ("name", "is_open"),
    [("basic_block_v1", False), ("basic_block_v2", True), ("bottleneck_v2", True)],
)
def test_blocks_for_cifar_by_name_say_how_they_end(name, is_open):
    assert needs_activation(built("cifar", name)) == is_open


def once(filters, init_strides, **options):
    return k.basic_block_v2(filters, init_strides, dropout=0.1, **options)


@pytest.mark.parametrize(
    "block",
    [
        functools.partial(k.basic_block_v2, shortcut="A"),
        functools.partial(functools.partial(k.basic_block_v2, dropout=0.1), shortcut="A"),
        once,
        lambda **given: k.basic_block_v2(**given, shortcut="A"),
    ],
    ids=["partial", "nested", "function", "lambda"],
)
def test_the_declaration_is_seen_through_partials_and_functions(block):
    for builder in ("v1", "cifar"):
        assert needs_activation(built(builder, block))


def add_last(filters, init_strides, is_first_block_of_first_layer):
    branch = k.conv(filters, 3, init_strides)
    return lambda x: k.shortcut(x, branch(x), init_strides)


def relu_last(filters, init_strides, is_first_block_of_first_layer):
    return k.chain(add_last(filters, init_strides, is_first_block_of_first_layer), k.relu())


@pytest.mark.parametrize("builder", BUILDERS)
def test_a_block_of_ones_own_declares_how_it_ends(builder):
    assert needs_activation(built(builder, k.ends_in_addition(add_last)))
    assert not needs_activation(built(builder, k.ends_in_activation(relu_last)))


@pytest.mark.parametrize(
    ("builder", "ending"), [("classic", 4), ("v2", 4), ("v1", 2), ("cifar", 2)]
)
def test_a_block_that_declares_nothing_ends_as_the_builders_own(builder, ending):
    # The Keras 2 builder, and this package so far: always a final BN and ReLU in the first two.
    for block in (add_last, relu_last):
        assert len(end(built(builder, block))[0]) == ending


def test_the_declaration_keeps_the_function():
    block = k.ends_in_addition(add_last)
    assert (block.__name__, block.__wrapped__) == ("add_last", add_last)
    # What the block says of itself holds.
    assert needs_activation(built("v1", k.ends_in_activation(block)))


def test_what_a_declared_block_returns_must_be_a_function():
    with pytest.raises(ValueError, match="conv2_block1: received 3; expected a function"):
        built("v1", k.ends_in_addition(lambda filters, init_strides: 3))


def test_the_end_has_the_style_of_the_family():
    assert built("classic", k.basic_block_v2).get_layer("final_bn").epsilon == CLASSIC.epsilon
    assert built("v1", k.basic_block_v2).get_layer("final_bn").epsilon == TORCH.epsilon
    style = k.Style(epsilon=1e-2)
    model = built("v1", k.basic_block_v2, style)
    assert model.get_layer("final_bn").epsilon == model.get_layer("conv1_bn").epsilon == 1e-2


@pytest.mark.parametrize("builder", ["v1", "v2"])
@pytest.mark.parametrize("block", ["by name", "by function", "partial"])
def test_the_builder_hands_its_style_to_blocks_that_leave_it_open(builder, block):
    name = f"basic_block_{builder}"
    function = getattr(k, name)
    chosen = {"by name": name, "by function": function}.get(
        block, functools.partial(function, shortcut="A")
    )
    model = built(builder, chosen, k.Style(epsilon=1e-2))
    epsilons = {layer.epsilon for layer in model.layers if hasattr(layer, "epsilon")}
    assert epsilons == {1e-2}


def test_a_style_that_is_filled_in_stays():
    inner = functools.partial(k.basic_block_v2, style=k.Style(epsilon=1e-4))
    for block in (inner, functools.partial(inner, shortcut="A"), k.ends_in_addition(inner)):
        model = built("v2", block, k.Style(epsilon=1e-2))
        assert model.get_layer("conv3_block1_bn1").epsilon == 1e-4
        assert model.get_layer("final_bn").epsilon == 1e-2


def test_a_style_that_means_something_else_is_left_alone():
    def block(filters, init_strides, style="own"):
        assert style == "own"
        return relu_last(filters, init_strides, False)

    assert built("v1", block).output_shape == (None, 4)


def test_the_first_block_is_told_so_where_it_takes_it():
    told = []

    def block(filters, init_strides, **native):
        told.append(native)
        return relu_last(filters, init_strides, **native)

    built("v1", block)
    built("v1", functools.partial(block))
    flags = [{"is_first_block_of_first_layer": first} for first in (True, False)]
    assert told == flags * 2
    built("v1", lambda filters, init_strides: block(filters, init_strides, **flags[1]))
    assert told[4:] == [flags[1]] * 2


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (lambda width, strides: None, "missing a required argument: 'width'"),
        (lambda filters: None, "unexpected keyword argument 'init_strides'"),
        (functools.partial(k.basic_block_v1, 16), "unexpected keyword argument 'filters'"),
        (k.basic_block_v1(16), "not basic_block_v1"),
    ],
)
def test_what_cannot_be_called_as_a_block_is_refused_in_a_line(block, words):
    with pytest.raises(ValueError, match=r"^block_fn: received .* init_strides") as caught:
        built("cifar", block)
    assert words in str(caught.value)


def test_there_is_no_flag_beside_the_block():
    with pytest.raises(TypeError, match="unknown option 'pre_activation'"):
        k.CifarResnetBuilder.build((3, 32, 32), 4, "basic_block_v1", (1, 1), pre_activation=True)
