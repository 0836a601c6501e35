"""Published figures that networks are held to, each with its source."""

# The classic Keras ResnetBuilder: model.count_params() of Keras 2 at (3, 224, 224), 100 outputs.
CLASSIC_PARAMETERS = {
    "resnet_18": 11_238_628,
    "resnet_34": 21_357_924,
    "resnet_50": 23_777_252,
    "resnet_101": 42_847_716,
    "resnet_152": 58_560_484,
}

# torchvision.models: parameters and multiply-adds (convolutions and dense layers) of one image
# of 3 x 224 x 224 (Inception-v3: 3 x 299 x 299, without its auxiliary head), 1000 classes.
TORCHVISION = {
    "VGG16": (138_357_544, 15_470_264_320),
    "VGG19": (143_667_240, 19_632_062_464),
    "ResNet50": (25_557_032, 4_089_184_256),
    "ResNet152": (60_192_808, 11_513_626_624),
    "DenseNet121": (7_978_856, 2_834_161_664),
    "DenseNet201": (20_013_928, 4_291_365_888),
    "InceptionV3": (23_834_568, 5_713_216_096),
}

# Szegedy et al. 2015, "Going deeper with convolutions": why 1x1 reductions come before 5x5
# convolutions. From 28 x 28 x 192 to 32 maps: 28^2 x 25 x 192 x 32, and through 16 maps,
# 28^2 x 192 x 16 + 28^2 x 25 x 16 x 32.
FIVE_BY_FIVE, FIVE_BY_FIVE_REDUCED = 120_422_400, 12_443_648
