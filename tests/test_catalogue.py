import pytest

from keras_convnets import list_models, model_info
from keras_convnets.catalogue import listing


def test_what_is_known_is_computed():
    info = model_info("cifar_resnet_20")
    assert info == (
        "cifar_resnet_20", "CifarResnetBuilder", (3, 32, 32), 10, 269_722, 40_551_040,
        "He et al. 2015 (arXiv:1512.03385)",
    )  # fmt: skip


def test_an_unknown_name():
    with pytest.raises(ValueError, match="Did you mean .*'resnet_50'"):
        model_info("resnet_500")


def test_listing():
    table = listing(list_models("cifar_resnet_[23]*"), with_costs=False)
    assert [row[0] for row in table.rows] == ["cifar_resnet_20", "cifar_resnet_32"]
    assert [column.key for column in table.columns] == [
        *("name", "builder", "input_shape", "num_outputs", "source")
    ]
    counted = listing(["cifar_resnet_20"], with_costs=True)
    assert counted.rows[0][4:6] == (269_722, 40_551_040)
    assert counted.to_dict()["rows"][0]["source"] == table.rows[0][-1]
