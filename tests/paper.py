"""Published figures that networks are held to, each with its source.

Parameters are those that training changes, multiply-adds those of convolutions and dense layers
for one image, at the shape and number of outputs that a network is registered with.
"""

# The classic Keras ResnetBuilder: model.count_params() of Keras 2 at (3, 224, 224), 100 outputs.
CLASSIC_PARAMETERS = {
    "resnet_18": 11_238_628,
    "resnet_34": 21_357_924,
    "resnet_50": 23_777_252,
    "resnet_101": 42_847_716,
    "resnet_152": 58_560_484,
}

# torchvision.models: parameters and multiply-adds of one image of 3 x 224 x 224 (Inception-v3:
# 3 x 299 x 299), 1000 classes, without auxiliary heads.
TORCHVISION = {
    "alexnet": (61_100_840, 714_188_480),
    "vgg_11": (132_863_336, 7_609_090_048),
    "vgg_16": (138_357_544, 15_470_264_320),
    "vgg_16_bn": (138_365_992, 15_470_264_320),
    "vgg_19": (143_667_240, 19_632_062_464),
    "googlenet_bn": (6_624_904, 1_498_376_192),
    "inception_v3": (23_834_568, 5_713_216_096),
    "resnet_v1_18": (11_689_512, 1_814_073_344),
    "resnet_v1_34": (21_797_672, 3_663_761_408),
    "resnet_v1_5_50": (25_557_032, 4_089_184_256),
    "resnet_v1_5_152": (60_192_808, 11_513_626_624),
    "resnext_50_32x4d": (25_028_904, 4_230_479_872),
    "resnext_101_64x4d": (83_455_272, 15_460_270_080),
    "wide_resnet_50_2": (68_883_240, 11_398_021_120),
    "densenet_121": (7_978_856, 2_834_161_664),
    "densenet_161": (28_681_000, 7_727_907_072),
    "densenet_201": (20_013_928, 4_291_365_888),
}

# torchvision's documentation of its weights: parameters alone ("num_params").
TORCHVISION_PARAMETERS = {
    "vgg_11_bn": 132_868_840,
    "vgg_13": 133_047_848,
    "vgg_13_bn": 133_053_736,
    "vgg_19_bn": 143_678_248,
    "resnet_v1_5_101": 44_549_160,
    "resnext_101_32x8d": 88_791_336,
    "wide_resnet_101_2": 126_886_696,
    "densenet_169": 14_149_480,
}

# timm.models: parameters, and the multiply-adds of its convolutions and dense layers for one image.
TIMM = {
    "resnext_101_32x4d": (44_177_704, 7_969_996_800),
    "se_resnet_v1_5_50": (28_088_024, 4_091_699_200),
    "se_resnet_v1_5_101": (49_326_872, 7_806_148_608),
    "se_resnet_v1_5_152": (66_821_848, 11_520_204_800),
    "se_resnext_50_32x4d": (27_559_896, 4_232_994_816),
    "se_resnext_101_32x4d": (48_955_416, 7_974_739_968),
}

# timm.models: parameters of resnetv2_50 and resnetv2_101 (25.55 M and 44.54 M in its tables).
TIMM_PARAMETERS = {
    "resnet_v2_50_timm": 25_549_352,
    "resnet_v2_101_timm": 44_541_480,
}

# Networks for CIFAR-10, as the tables of their papers make them (the papers print 0.27 M, 1.7 M,
# 10.2 M, ...): convolutions without bias, scale and offset of batch normalisation counted.
CIFAR = {
    "cifar_resnet_20": 269_722,
    "cifar_resnet_32": 464_154,
    "cifar_resnet_44": 658_586,
    "cifar_resnet_56": 853_018,
    "cifar_resnet_110": 1_727_962,
    "cifar_resnet_1202": 19_421_274,
    "cifar_preact_resnet_110": 1_727_962,
    "cifar_preact_resnet_164": 1_703_258,
    "cifar_preact_resnet_1001": 10_327_706,
    "cifar_preact_resnet_164_authors": 1_703_258,
    "cifar_preact_resnet_1001_authors": 10_327_706,
    "cifar_densenet_40_12": 1_019_722,
    "cifar_densenet_100_12": 6_979_642,
    "cifar_densenet_bc_100_12": 769_162,
    "cifar_densenet_bc_250_24": 15_324_406,
    "cifar_densenet_bc_190_40": 25_624_430,
    "wide_resnet_28_10": 36_479_194,
}

# The small networks of the course notes, 10 outputs, from their description layer by layer.
COURSE_NOTES = {
    "notes_resnet_18": 11_178_378,
    "notes_densenet": 758_226,
    "notes_alexnet": 46_764_746,
    "notes_vgg_11": 128_807_306,
    "notes_googlenet": 5_977_530,
    "notes_mnist_inception": 97_298,
    "notes_mnist_resnet": 41_514,
}

# The 2015 ResNets that stride in the 1x1 convolution: as many parameters as torchvision's, for
# where a convolution strides changes none.
STRIDE_ON_1X1 = {
    "resnet_v1_50": 25_557_032,
    "resnet_v1_101": 44_549_160,
    "resnet_v1_152": 60_192_808,
}

# The authors' Caffe models (SE-ResNet, as PyTorch ports count them; NiN), and those of Caffe's zoo
# (GoogLeNet with its auxiliary classifiers, AlexNet).
AUTHORS = {
    "googlenet": 13_378_280,
    "alexnet_original": 60_965_224,
    "alexnet_caffe": 60_965_224,
    "se_resnet_50": 28_088_024,
    "se_resnet_101": 49_326_872,
    "se_resnet_152": 66_821_848,
    "cifar_nin": 966_986,
    "nin": 7_595_176,
}

# Every network above: parameters, and multiply-adds where they are published.
PUBLISHED: dict[str, tuple[int, int | None]] = {**TORCHVISION, **TIMM} | {
    name: (parameters, None)
    for figures in (
        TORCHVISION_PARAMETERS,
        TIMM_PARAMETERS,
        STRIDE_ON_1X1,
        CIFAR,
        COURSE_NOTES,
        AUTHORS,
    )
    for name, parameters in figures.items()
}

# Networks that are graphs of keras.applications, which tests build beside them.
KERAS_APPLICATIONS = {
    "vgg_16": "VGG16",
    "vgg_19": "VGG19",
    "resnet_v1_50_keras": "ResNet50",
    "resnet_v1_101_keras": "ResNet101",
    "resnet_v1_152_keras": "ResNet152",
    "resnet_v2_50_keras": "ResNet50V2",
    "resnet_v2_101_keras": "ResNet101V2",
    "resnet_v2_152_keras": "ResNet152V2",
    "densenet_121_keras": "DenseNet121",
    "densenet_169_keras": "DenseNet169",
    "densenet_201_keras": "DenseNet201",
    "inception_v3_keras": "InceptionV3",
    "inception_resnet_v2": "InceptionResNetV2",
}

# Szegedy et al. 2015, "Going deeper with convolutions": why 1x1 reductions come before 5x5
# convolutions. From 28 x 28 x 192 to 32 maps: 28^2 x 25 x 192 x 32, and through 16 maps,
# 28^2 x 192 x 16 + 28^2 x 25 x 16 x 32.
FIVE_BY_FIVE, FIVE_BY_FIVE_REDUCED = 120_422_400, 12_443_648
