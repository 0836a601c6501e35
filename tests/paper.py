"""Published figures that networks are held to, each with its source."""

# The classic Keras ResnetBuilder: model.count_params() of Keras 2 at (3, 224, 224), 100 outputs.
CLASSIC_PARAMETERS = {
    "resnet_18": 11_238_628,
    "resnet_34": 21_357_924,
    "resnet_50": 23_777_252,
    "resnet_101": 42_847_716,
    "resnet_152": 58_560_484,
}
