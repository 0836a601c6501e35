"""Stages, and figures from left to right, fit a slide: measured in the SVG that is drawn."""

import functools
import html
import itertools
import re

import keras
import pytest
from matplotlib import font_manager

from helpers import application, outline
from keras_convnets import plot_model, scope, units
from keras_convnets.analysis.plot import plot
from keras_convnets.analysis.plot.graph.blocks import block_graph, stage_kind
from keras_convnets.analysis.plot.graph.folding import fold
from keras_convnets.analysis.plot.graph.graph import by_stage
from keras_convnets.analysis.plot.look import Look
from keras_convnets.assemble import assemble
from keras_convnets.units import heads

L = keras.layers
AT_BLOCK_LEVEL = ["resnet_34", "googlenet", "densenet_121", "inception_v3"]
NAMES = [*AT_BLOCK_LEVEL, "resnet_152", "vgg_16", "cifar_resnet_20", "lenet_5"]
FIGURES = [(name, "stage") for name in NAMES] + [(name, "block") for name in AT_BLOCK_LEVEL]
SLIDE = (960, 540)  # points
FONT = font_manager.get_font(font_manager.findfont("DejaVu Sans"))


class Drawing:
    """An SVG, measured in points of its page."""

    def __init__(self, model, **options):
        figure = plot_model(model, "figure.svg", **options)
        self.svg = figure.path.read_text(encoding="utf-8")
        sides = re.search(r'<svg width="(\d+)pt" height="(\d+)pt"', self.svg).groups()
        self.page = tuple(map(int, sides))
        self.scale = float(re.search(r'transform="scale\(([0-9.]+)', self.svg).group(1))
        self.types = [
            self.scale * float(size) for size in re.findall(r'font-size="([0-9.]+)"', self.svg)
        ]

    @property
    def words(self):
        return [text for *_, text in self._texts()]

    def _texts(self):
        found = r'text-anchor="(\w+)" x="([-0-9.]+)" y="([-0-9.]+)"[^>]*font-size="([0-9.]+)"[^>]*>'
        for anchor, x, y, size, text in re.findall(found + "([^<]*)", self.svg):
            yield anchor, float(x), float(y), float(size), text.replace("&#160;", " ")

    def texts(self):
        """Return the rectangles of all texts, from the first letter to the last."""
        for anchor, x, y, size, text in self._texts():
            width = size * letters(text.strip())
            left = x - width / 2 if anchor == "middle" else x
            if text.strip():
                yield left, y - 0.7 * size, left + width, y

    def groups(self, kind):
        return re.findall(rf'<g id="[^"]*" class="{kind}[^"]*">(.*?)\n</g>\n', self.svg, re.S)

    def boxes(self):
        """Return the rectangles of the outermost outlines of the boxes."""
        for box in self.groups("node kind"):
            outline = re.search(
                r'<(?:path|polygon|ellipse)[^>]*?(?: d| points|)="([^"]*)"[^>]*>', box
            )
            yield rectangle(box if "<ellipse" in outline.group(0) else outline.group(0))

    def frames(self):
        return [re.search(">([^<]+)</text>", frame).group(1) for frame in self.groups("cluster")]

    def lines(self):
        """Return points along each line, close to each other."""
        for line in self.groups("edge"):
            path = numbers(re.search(r' d="M([^"]*)"', line).group(1))
            points = list(zip(path[::2], path[1::2], strict=True))
            yield [
                bezier(points[start : start + 4], n / 40)
                for start in range(0, len(points) - 1, 3)
                for n in range(41)
            ]


@functools.cache
def letters(text):
    """Return the width of a text, in sizes of its type."""
    FONT.set_size(100, 72)
    FONT.set_text(html.unescape(text))
    return FONT.get_width_height()[0] / 64 / 100


def numbers(text):
    return list(map(float, re.findall(r"-?[0-9]+\.?[0-9]*", text)))


def rectangle(outline):
    ellipse = re.search(r'cx="([^"]*)" cy="([^"]*)" rx="([^"]*)" ry="([^"]*)"', outline)
    if ellipse:
        x, y, across, down = map(float, ellipse.groups())
        return x - across, y - down, x + across, y + down
    found = numbers(re.search(r' (?:d|points)="([^"]*)"', outline).group(1))
    return min(found[::2]), min(found[1::2]), max(found[::2]), max(found[1::2])


def bezier(points, t):
    shares = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
    return tuple(sum(s * p[axis] for s, p in zip(shares, points, strict=True)) for axis in (0, 1))


def overlap(one, other):
    return (
        min(one[2], other[2]) - max(one[0], other[0]) > 0.5
        and min(one[3], other[3]) - max(one[1], other[1]) > 0.5
    )


def check(drawing):
    """Nothing leaves the page, no box is upon another, and no line runs through a text."""
    boxes, texts = list(drawing.boxes()), list(drawing.texts())
    assert boxes
    width, height = (side / drawing.scale for side in drawing.page)
    for left, top, right, bottom in (*boxes, *texts):
        assert left >= -0.5
        assert right <= width + 0.5
        assert top >= -height - 0.5
        assert bottom <= 0.5
    for one, other in itertools.combinations(boxes, 2):
        assert not overlap(one, other)
    for line in drawing.lines():
        for x, y in line:
            for left, top, right, bottom in texts:
                assert not (left < x < right and top < y < bottom), (x, y)


@pytest.fixture(scope="module")
def models():
    return {name: outline(name) for name in NAMES}


@pytest.mark.parametrize(("name", "detail"), FIGURES)
def test_a_figure_fits_a_slide(models, name, detail):
    drawing = Drawing(models[name], detail=detail, size="slide")
    assert drawing.page == SLIDE
    assert min(drawing.types) >= 9 - 0.01
    check(drawing)
    stages = by_stage(fold(block_graph(models[name])))
    if detail == "stage":
        assert len(list(drawing.boxes())) == len(stages)
        assert all(stage in " ".join(drawing.words) for stage, _ in stages)
    else:
        framed = [stage for stage, blocks in stages if blocks[0].stage]
        assert sorted(drawing.frames()) == sorted(framed)


def test_stages_go_from_left_to_right_on_a_slide_unless_told_otherwise(models):
    model = models["resnet_34"]
    assert Drawing(model, detail="stage").page == SLIDE
    assert Drawing(model, rankdir="LR").page == SLIDE
    width, height = Drawing(model, detail="stage", rankdir="TB").page
    assert height > width
    width, height = Drawing(model).page
    assert height > width


def test_a_stage_has_the_colour_of_its_convolutions_not_of_a_last_activation():
    image = keras.Input((32, 32, 3))
    x = L.Conv2D(8, 3, strides=2, padding="same")(image)
    x = L.Conv2D(8, 3, strides=2, padding="same", name="Conv_1")(x)
    x = L.BatchNormalization(name="Conv_1_bn")(x)
    x = L.ReLU(name="out_relu")(x)
    stages = by_stage(block_graph(keras.Model(image, x)))
    assert [block.kind for block in stages[-1][1]] == ["convolution", "activation"]
    assert stage_kind(stages[-1][1]) == "convolution"


def test_from_right_to_left(models):
    drawing = Drawing(models["vgg_16"], detail="stage", rankdir="RL")
    check(drawing)
    first, second, *_ = drawing.boxes()
    assert first[0] > second[2]


@pytest.mark.parametrize(("size", "page"), [((10, 7.5), (720, 540)), ([8, 8], (576, 576))])
def test_any_size(models, size, page):
    drawing = Drawing(models["vgg_16"], detail="stage", size=size)
    assert drawing.page == pytest.approx(page, abs=1)
    assert min(drawing.types) >= 9
    check(drawing)


def test_what_graphviz_lays_out_is_scaled_to_a_size(models):
    drawing = Drawing(models["lenet_5"], detail="stage", rankdir="TB", size=(6, 12))
    assert drawing.page == pytest.approx((432, 864), abs=1)
    assert min(drawing.types) >= 9


def test_a_figure_without_room_is_refused_with_what_fits(models):
    model = models["resnet_34"]
    with pytest.raises(ValueError, match=r"size: received 13\.33 x 7\.5 inches") as caught:
        plot_model(model, "figure.svg", detail="layer", size="slide")
    assert "expected at least 9. Draw detail='block' with rankdir='LR', which fits" in str(
        caught.value
    )
    with pytest.raises(ValueError, match="Leave size out, or pass a larger size") as caught:
        plot_model(model, "figure.svg", size=(2, 1.5))
    larger = tuple(map(float, re.search(r"\(([0-9.]+), ([0-9.]+)\)", str(caught.value)).groups()))
    assert min(Drawing(model, size=larger).types) >= 9
    # Without a size, nothing is refused: the page is a slide all the same.
    drawing = Drawing(models["resnet_152"], rankdir="LR", fold_repeats=False)
    assert drawing.page == SLIDE
    assert min(drawing.types) < 9


def test_type_that_is_almost_large_enough_is_not_said_to_be():
    # Rounded, it would read "would have 9.0 points; expected at least 9".
    look = Look(rankdir="LR", size=(4.0, 3.0))
    assert "would have 8.9 points" in plot._too_small(8.97, None, "stage", look)


@pytest.mark.parametrize("size", ["page", (1, 2, 3), (0, 3), 7, ("7", "8"), (float("inf"), 2)])
def test_a_wrong_size_is_refused(models, size):
    with pytest.raises(ValueError, match="size: received .* expected 'slide' or a width"):
        plot_model(models["lenet_5"], "figure.svg", size=size)


def test_title_legend_and_transparency(models):
    model = models["resnet_34"]
    for detail, rankdir in itertools.product(("stage", "block"), ("LR", "TB")):
        chosen = {"detail": detail, "rankdir": rankdir}
        drawn = Drawing(model, **chosen)
        assert "resnet_34" in drawn.words
        assert "residual block" in drawn.words
        assert 'fill="white" stroke="none"' in drawn.svg
        bare = Drawing(model, title="", legend=False, transparent=True, **chosen)
        assert "resnet_34" not in bare.words
        assert "residual block" not in bare.words
        assert 'fill="white" stroke="none"' not in bare.svg
        titled = Drawing(model, title="Our <net> & its shortcuts", **chosen)
        assert "Our &lt;net&gt; &amp; its shortcuts" in titled.words


def test_a_transparent_png_has_no_background(models):
    import matplotlib.image

    for transparent, alpha in ((True, 0), (False, 1)):
        plot_model(models["lenet_5"], "lenet.png", size="slide", transparent=transparent, dpi=60)
        pixels = matplotlib.image.imread("lenet.png")
        assert pixels.shape[:2] == (450, 800)
        assert pixels[2, 2, 3] == alpha if pixels.shape[2] == 4 else not transparent


def unet():
    image = x = keras.Input((32, 32, 3), name="image")
    skips = []
    for n in range(3):
        x = L.Conv2D(8 * 2**n, 3, padding="same", name=f"down{n}_conv")(x)
        skips.append(x)
        x = L.MaxPooling2D(name=f"down{n}_pool")(x)
    for n, skip in reversed(list(enumerate(skips))):
        x = L.UpSampling2D(name=f"up{n}_size")(x)
        x = L.Concatenate(name=f"up{n}_concat")([x, skip])
        x = L.Conv2D(8 * 2**n, 3, padding="same", name=f"up{n}_conv")(x)
    return keras.Model(image, x, name="unet")


def two_inputs():
    one, other = keras.Input((16, 16, 3), name="one"), keras.Input((16, 16, 3), name="other")
    shared = L.Conv2D(8, 3, name="shared")
    joined = L.Concatenate(name="joined")([shared(one), shared(other)])
    return keras.Model([one, other], [L.Dense(2, name="a")(joined), L.Dense(3, name="b")(joined)])


def with_a_long_auxiliary_head():
    def head(num_outputs, activation):
        layers = [unit for _ in range(4) for unit in (units.conv(64, 3), units.relu())]
        return units.chain(*layers, heads.flatten(), heads.outputs(num_outputs, activation))

    parts = [(f"conv{n}", units.conv_relu(8, 3)) for n in range(1, 15)]
    return assemble((3, 8, 8), 5, parts, "net", auxiliary={"conv2": head, "conv3": head})


def with_a_stage_off_the_main_path():
    image, other = keras.Input((8, 8, 3)), keras.Input((3, 8, 8, 4))
    x = L.ConvLSTM2D(2, 1)(other)
    short = L.Subtract()([L.ReLU()(x), x])
    long = image
    for n in range(4):
        long = L.Conv2D(4, 3, name=f"conv{n}_conv")(long) if n < 3 else L.Flatten()(long)
    return keras.Model([image, other], [long, short])


@pytest.mark.parametrize("detail", ["stage", "block"])
@pytest.mark.parametrize(
    "build", [unet, with_a_stage_off_the_main_path, two_inputs, with_a_long_auxiliary_head]
)
def test_other_graphs(build, detail):
    drawing = Drawing(build(), detail=detail, rankdir="LR")
    assert drawing.page == SLIDE
    check(drawing)


def test_two_networks_in_one_graph_follow_each_other():
    with scope("left"):
        one = outline("cifar_resnet_20")
    with scope("right"):
        other = outline("lenet_5")
    joined = L.Concatenate(name="join")([one.output, other.output])
    model = keras.Model([one.input, other.input], joined, name="pair")
    drawing = Drawing(model, rankdir="LR")
    check(drawing)
    assert sorted(drawing.frames()) == ["left_conv2", "left_conv3", "left_conv4"]
    frames = [rectangle(frame) for frame in drawing.groups("cluster")]
    for frame, another in itertools.combinations(frames, 2):
        assert not overlap(frame, another)
    inside = [box for box in drawing.boxes() if any(overlap(box, frame) for frame in frames)]
    assert len(inside) == 2 * (1 + 2 + 3)  # each residual block, and its addition
    # The label of a shortcut is as wide as it is: within its frame, though wider than its block.
    words = filter(str.strip, drawing.words)
    texts = zip(drawing.texts(), words, strict=True)
    labels = [rect for rect, text in texts if "channels" in text]
    assert len(labels) == 2
    for left, top, right, _ in labels:
        assert any(f[0] < left and right < f[2] and f[1] < top < f[3] for f in frames)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["EfficientNetB0", "MobileNetV2", "ResNet50V2"])
def test_other_peoples_models(name):
    for detail in ("stage", "block"):
        drawing = Drawing(application(name), detail=detail, rankdir="LR")
        assert drawing.page == SLIDE
        check(drawing)
