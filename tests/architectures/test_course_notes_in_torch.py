"""The course notes' networks compute what PyTorch's layers compute with the same weights.

The networks stand here once more, in PyTorch, written after the notes' description and not after
this package's code. Layers have the package's names, so that weights are copied by name.
"""

import keras
import numpy as np
import pytest

from helpers import FORMATS, images
from keras_convnets import create_model

torch = pytest.importorskip("torch", reason="the course notes' networks are compared with PyTorch")
nn, F = torch.nn, torch.nn.functional


class Net(nn.Module):
    """A network whose layers with weights are in ``layers``, by the package's names."""

    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleDict(layers)

    def bn_relu(self, name, x):
        return F.relu(self.layers[name](x))

    conv_relu = dense_relu = bn_relu


class Resnet18(Net):
    def __init__(self):
        layers = {"conv1_conv": nn.Conv2d(1, 64, 7, 2, 3), "conv1_bn": nn.BatchNorm2d(64)}
        before = 64
        for stage, maps in ((2, 64), (3, 128), (4, 256), (5, 512)):
            for block in (f"conv{stage}_block1", f"conv{stage}_block2"):
                stride = 2 if maps != before else 1
                layers[f"{block}_conv1"] = nn.Conv2d(before, maps, 3, stride, 1)
                layers[f"{block}_bn1"] = nn.BatchNorm2d(maps)
                layers[f"{block}_conv2"] = nn.Conv2d(maps, maps, 3, 1, 1)
                layers[f"{block}_bn2"] = nn.BatchNorm2d(maps)
                if stride == 2:
                    layers[f"{block}_shortcut_conv"] = nn.Conv2d(before, maps, 1, 2)
                before = maps
        super().__init__(layers | {"head_dense": nn.Linear(512, 10)})

    def forward(self, x):
        layers = self.layers
        x = F.max_pool2d(F.relu(layers["conv1_bn"](layers["conv1_conv"](x))), 3, 2, 1)
        for stage in (2, 3, 4, 5):
            for block in (f"conv{stage}_block1", f"conv{stage}_block2"):
                y = F.relu(layers[f"{block}_bn1"](layers[f"{block}_conv1"](x)))
                y = layers[f"{block}_bn2"](layers[f"{block}_conv2"](y))
                if f"{block}_shortcut_conv" in layers:
                    x = layers[f"{block}_shortcut_conv"](x)
                x = F.relu(x + y)
        return layers["head_dense"](x.mean((2, 3)))


class Densenet(Net):
    def __init__(self):
        layers = {"conv1_conv": nn.Conv2d(1, 64, 7, 2, 3), "conv1_bn": nn.BatchNorm2d(64)}
        for stage, maps in ((1, 64), (2, 96), (3, 112), (4, 120)):
            for block in (1, 2, 3, 4):
                layers[f"dense{stage}_block{block}_bn1"] = nn.BatchNorm2d(maps)
                layers[f"dense{stage}_block{block}_conv1"] = nn.Conv2d(maps, 32, 3, 1, 1)
                maps += 32
            if stage < 4:
                layers[f"transition{stage}_bn"] = nn.BatchNorm2d(maps)
                layers[f"transition{stage}_conv"] = nn.Conv2d(maps, maps // 2, 1)
        last = {"final_bn": nn.BatchNorm2d(248), "head_dense": nn.Linear(248, 10)}
        super().__init__(layers | last)

    def forward(self, x):
        layers = self.layers
        x = F.max_pool2d(F.relu(layers["conv1_bn"](layers["conv1_conv"](x))), 3, 2, 1)
        for stage in (1, 2, 3, 4):
            for block in (f"dense{stage}_block{n}" for n in (1, 2, 3, 4)):
                y = layers[f"{block}_conv1"](F.relu(layers[f"{block}_bn1"](x)))
                x = torch.cat([x, y], 1)
            if stage < 4:
                x = layers[f"transition{stage}_conv"](F.relu(layers[f"transition{stage}_bn"](x)))
                x = F.avg_pool2d(x, 2, 2)
        return layers["head_dense"](F.relu(layers["final_bn"](x)).mean((2, 3)))


class Alexnet(Net):
    flattened = (256, 5, 5)

    def __init__(self):
        super().__init__(
            {
                "conv1_conv": nn.Conv2d(1, 96, 11, 4, 1),
                "conv2_conv": nn.Conv2d(96, 256, 5, 1, 2),
                "conv3_conv": nn.Conv2d(256, 384, 3, 1, 1),
                "conv4_conv": nn.Conv2d(384, 384, 3, 1, 1),
                "conv5_conv": nn.Conv2d(384, 256, 3, 1, 1),
                "head_dense": nn.Linear(6400, 4096),
                "head_dense2": nn.Linear(4096, 4096),
                "head_dense3": nn.Linear(4096, 10),
            }
        )

    def forward(self, x):
        x = F.max_pool2d(self.conv_relu("conv1_conv", x), 3, 2)
        x = F.max_pool2d(self.conv_relu("conv2_conv", x), 3, 2)
        x = self.conv_relu("conv4_conv", self.conv_relu("conv3_conv", x))
        x = F.max_pool2d(self.conv_relu("conv5_conv", x), 3, 2).flatten(1)
        x = self.dense_relu("head_dense2", self.dense_relu("head_dense", x))
        return self.layers["head_dense3"](x)


class Vgg11(Net):
    flattened = (512, 7, 7)
    blocks = (
        ("conv1_conv",),
        ("conv2_conv",),
        ("conv3_conv", "conv3_conv2"),
        ("conv4_conv", "conv4_conv2"),
        ("conv5_conv", "conv5_conv2"),
    )

    def __init__(self):
        maps = (3, 64, 128, 256, 256, 512, 512, 512, 512)
        names = [name for block in self.blocks for name in block]
        layers = {
            name: nn.Conv2d(before, after, 3, 1, 1)
            for name, before, after in zip(names, maps[:-1], maps[1:], strict=True)
        }
        dense = {
            "head_dense": nn.Linear(512 * 7 * 7, 4096),
            "head_dense2": nn.Linear(4096, 4096),
            "head_dense3": nn.Linear(4096, 10),
        }
        super().__init__(layers | dense)

    def forward(self, x):
        for block in self.blocks:
            for name in block:
                x = self.conv_relu(name, x)
            x = F.max_pool2d(x, 2, 2)
        x = self.dense_relu("head_dense2", self.dense_relu("head_dense", x.flatten(1)))
        return self.layers["head_dense3"](x)


class Googlenet(Net):
    rows = {
        "inception3_block1": (192, (64, 96, 128, 16, 32, 32)),
        "inception3_block2": (256, (128, 128, 192, 32, 96, 64)),
        "inception4_block1": (480, (192, 96, 208, 16, 48, 64)),
        "inception4_block2": (512, (160, 112, 224, 24, 64, 64)),
        "inception4_block3": (512, (128, 128, 256, 24, 64, 64)),
        "inception4_block4": (512, (112, 144, 288, 32, 64, 64)),
        "inception4_block5": (528, (256, 160, 320, 32, 128, 128)),
        "inception5_block1": (832, (256, 160, 320, 32, 128, 128)),
        "inception5_block2": (832, (384, 192, 384, 48, 128, 128)),
    }

    def __init__(self):
        layers = {
            "conv1_conv": nn.Conv2d(1, 64, 7, 2, 3),
            "conv2_conv": nn.Conv2d(64, 64, 1),
            "conv2_conv2": nn.Conv2d(64, 192, 3, 1, 1),
        }
        for block, (maps, (one, three_in, three, five_in, five, pool)) in self.rows.items():
            layers[f"{block}_branch1x1_conv"] = nn.Conv2d(maps, one, 1)
            layers[f"{block}_branch3x3_conv"] = nn.Conv2d(maps, three_in, 1)
            layers[f"{block}_branch3x3_conv2"] = nn.Conv2d(three_in, three, 3, 1, 1)
            layers[f"{block}_branch5x5_conv"] = nn.Conv2d(maps, five_in, 1)
            layers[f"{block}_branch5x5_conv2"] = nn.Conv2d(five_in, five, 5, 1, 2)
            layers[f"{block}_branch_pool_conv"] = nn.Conv2d(maps, pool, 1)
        super().__init__(layers | {"head_dense": nn.Linear(1024, 10)})

    def forward(self, x):
        x = F.max_pool2d(self.conv_relu("conv1_conv", x), 3, 2, 1)
        x = self.conv_relu("conv2_conv2", self.conv_relu("conv2_conv", x))
        x = F.max_pool2d(x, 3, 2, 1)
        for block in self.rows:
            x = self.row(block, x)
            if block in ("inception3_block2", "inception4_block5"):
                x = F.max_pool2d(x, 3, 2, 1)
        return self.layers["head_dense"](x.mean((2, 3)))

    def row(self, block, x):
        one = self.conv_relu(f"{block}_branch1x1_conv", x)
        three = self.conv_relu(f"{block}_branch3x3_conv", x)
        three = self.conv_relu(f"{block}_branch3x3_conv2", three)
        five = self.conv_relu(f"{block}_branch5x5_conv", x)
        five = self.conv_relu(f"{block}_branch5x5_conv2", five)
        pool = self.conv_relu(f"{block}_branch_pool_conv", F.max_pool2d(x, 3, 1, 1))
        return torch.cat([one, three, five, pool], 1)


class MnistInception(Net):
    flattened = (88, 4, 4)

    def __init__(self):
        layers = {"conv1_conv": nn.Conv2d(1, 10, 5), "conv3_conv": nn.Conv2d(88, 20, 5)}
        for block, maps in (("inception2_block1", 10), ("inception4_block1", 20)):
            layers[f"{block}_branch1x1_conv"] = nn.Conv2d(maps, 16, 1)
            layers[f"{block}_branch5x5_conv"] = nn.Conv2d(maps, 16, 1)
            layers[f"{block}_branch5x5_conv2"] = nn.Conv2d(16, 24, 5, 1, 2)
            layers[f"{block}_branch3x3dbl_conv"] = nn.Conv2d(maps, 16, 1)
            layers[f"{block}_branch3x3dbl_conv2"] = nn.Conv2d(16, 24, 3, 1, 1)
            layers[f"{block}_branch3x3dbl_conv3"] = nn.Conv2d(24, 24, 3, 1, 1)
            layers[f"{block}_branch_pool_conv"] = nn.Conv2d(maps, 24, 1)
        super().__init__(layers | {"head_dense": nn.Linear(1408, 10)})

    def forward(self, x):
        x = F.relu(F.max_pool2d(self.layers["conv1_conv"](x), 2))
        x = self.block_a("inception2_block1", x)
        x = F.relu(F.max_pool2d(self.layers["conv3_conv"](x), 2))
        x = self.block_a("inception4_block1", x)
        return self.layers["head_dense"](x.flatten(1))

    def block_a(self, block, x):
        layers = self.layers
        one = layers[f"{block}_branch1x1_conv"](x)
        five = layers[f"{block}_branch5x5_conv2"](layers[f"{block}_branch5x5_conv"](x))
        three = layers[f"{block}_branch3x3dbl_conv2"](layers[f"{block}_branch3x3dbl_conv"](x))
        three = layers[f"{block}_branch3x3dbl_conv3"](three)
        mean = F.avg_pool2d(x, 3, 1, 1, count_include_pad=True)
        return torch.cat([one, five, three, layers[f"{block}_branch_pool_conv"](mean)], 1)


class MnistResnet(Net):
    flattened = (32, 4, 4)

    def __init__(self):
        super().__init__(
            {
                "conv1_conv": nn.Conv2d(1, 16, 5),
                "conv2_block1_conv1": nn.Conv2d(16, 16, 3, 1, 1),
                "conv2_block1_conv2": nn.Conv2d(16, 16, 3, 1, 1),
                "conv3_conv": nn.Conv2d(16, 32, 5),
                "conv4_block1_conv1": nn.Conv2d(32, 32, 3, 1, 1),
                "conv4_block1_conv2": nn.Conv2d(32, 32, 3, 1, 1),
                "head_dense": nn.Linear(512, 10),
            }
        )

    def forward(self, x):
        x = self.block("conv2_block1", F.max_pool2d(self.conv_relu("conv1_conv", x), 2))
        x = self.block("conv4_block1", F.max_pool2d(self.conv_relu("conv3_conv", x), 2))
        return self.layers["head_dense"](x.flatten(1))

    def block(self, name, x):
        y = self.layers[f"{name}_conv2"](self.conv_relu(f"{name}_conv1", x))
        return F.relu(x + y)


def randomised(net, seed=0):
    """Give every weight and statistic a value that matters, and keep the size of activations."""
    rng = np.random.default_rng(seed)

    def fill(tensor, values):
        tensor.data.copy_(torch.from_numpy(np.asarray(values, dtype="float32")))

    for layer in net.layers.values():
        fill(layer.bias, rng.normal(0, 0.2, layer.bias.shape))
        if isinstance(layer, nn.BatchNorm2d):
            fill(layer.weight, rng.uniform(0.5, 1.5, layer.weight.shape))
            fill(layer.running_mean, rng.normal(0, 0.5, layer.running_mean.shape))
            fill(layer.running_var, rng.uniform(0.5, 1.5, layer.running_var.shape))
        else:
            fan_in = np.prod(layer.weight.shape[1:])
            values = rng.standard_normal(layer.weight.shape, dtype="float32")
            fill(layer.weight, values * np.float32(np.sqrt(2 / fan_in)))
    return net.eval()


def copy_weights(net, model):
    """Give a Keras model the weights of a PyTorch network whose layers are called alike."""
    ours = {layer.name for layer in model.layers if layer.weights}
    assert ours == set(net.layers)
    for name, layer in net.layers.items():
        weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        if isinstance(layer, nn.BatchNorm2d):
            values = [weight, bias, layer.running_mean.numpy(), layer.running_var.numpy()]
        elif isinstance(layer, nn.Conv2d):
            values = [weight.transpose(2, 3, 1, 0), bias]
        else:
            if name == "head_dense" and hasattr(net, "flattened"):
                maps = weight.reshape(-1, *net.flattened)
                weight = maps.transpose(0, 2, 3, 1).reshape(weight.shape)
            values = [weight.T, bias]
        model.get_layer(name).set_weights(values)


def two_images(input_shape, data_format):
    """Return two images, one much stronger: global pooling makes equally strong noise alike."""
    return images(input_shape, data_format) * np.float32([[[[1]]], [[[3]]]])


def slow(*case):
    return pytest.param(*case, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("name", "network", "input_shape"),
    [
        slow("notes_resnet_18", Resnet18, (1, 224, 224)),
        slow("notes_densenet", Densenet, (1, 96, 96)),
        slow("notes_alexnet", Alexnet, (1, 224, 224)),
        slow("notes_vgg_11", Vgg11, (3, 224, 224)),
        slow("notes_googlenet", Googlenet, (1, 96, 96)),
        ("notes_mnist_inception", MnistInception, (1, 28, 28)),
        ("notes_mnist_resnet", MnistResnet, (1, 28, 28)),
    ],
)
def test_outputs_as_in_pytorch(name, network, input_shape):
    net = randomised(network())
    with torch.no_grad():
        expected = net(torch.from_numpy(two_images(input_shape, "channels_first"))).numpy()
    # The outputs depend on the image, so a difference in an early layer would be seen in them.
    assert np.abs(expected[0] - expected[1]).max() > 0.1 * np.abs(expected).max()
    for data_format in FORMATS:
        model = create_model(name, data_format=data_format, classifier_activation=None)
        copy_weights(net, model)
        x = two_images(input_shape, data_format)
        logits = keras.ops.convert_to_numpy(model(x, training=False))
        difference = np.abs(logits - expected).max() / np.abs(expected).max()
        print(f"{name}, {data_format}: relative difference from PyTorch {difference:.1e}")
        assert difference < 1e-5
        model = None  # before the next one is made: two of VGG-11 would need a gigabyte
