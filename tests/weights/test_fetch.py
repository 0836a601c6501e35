"""Published files are found, fetched and checked, by a server on this machine."""

import functools
import hashlib
import http.server
import json
import os
import threading
from pathlib import Path

import pytest

from keras_convnets.weights.published.fetch import FOLDER, locate, resolve
from keras_convnets.weights.published.local_files import of_file
from keras_convnets.weights.published.published import find, images_of

CONTENT = b"weights" * 1000
SHA = "sha256:" + hashlib.sha256(CONTENT).hexdigest()[:8]
MD5 = "md5:" + hashlib.md5(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def _caches(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv(FOLDER, raising=False)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        if self.path == "/cut.pth":
            self.send_response(200)
            self.send_header("Content-Length", str(2 * len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)
        else:
            super().do_GET()


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "whole.pth").write_bytes(CONTENT)
    (folder / "page.pth").write_bytes(b"<!doctype html>")
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


def row(address="http://127.0.0.1:9/whole.pth", digits=SHA, name="torchvision"):
    known = find(name, "resnet_v1_5_50")
    return known._replace(address=address, hash=digits)


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*"))


@pytest.mark.parametrize("digits", [SHA, MD5, ""])
def test_a_file_is_fetched_once_into_keras_cache(server, digits, capsys):
    published = row(f"{server}/whole.pth", digits)
    path = locate(published)
    assert path == Path("keras/models", published.file).absolute()
    assert path.read_bytes() == CONTENT
    assert files_in("keras") == ["models", f"models/{published.file}"]
    assert locate(published._replace(address="http://127.0.0.1:9/gone")) == path
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Downloading data from" in shown.err


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("cut.pth", "retrieval incomplete"),
        ("none.pth", "File not found"),
        ("page.pth", "it returned a web page"),
    ],
)
def test_a_file_that_does_not_come_is_explained_and_nothing_stays(server, place, why):
    with pytest.raises(ValueError) as refused:
        locate(row(f"{server}/{place}", ""))
    message = str(refused.value)
    assert message.startswith("weights: cannot fetch 'torchvision' of resnet_v1_5_50 from http://")
    assert why in message
    assert message.endswith(
        f"Put the file, as resnet50-0676ba61.pth, into '{Path('keras/models').absolute()}', or "
        f"into any folder that the environment variable {FOLDER} names."
    )
    assert "\n" not in message
    assert files_in("keras") == ["models"]


def test_without_a_network(monkeypatch):
    def no_network(*args, **kwargs):
        raise OSError(-3, "Temporary failure in name resolution")

    monkeypatch.setattr("socket.getaddrinfo", no_network)
    with pytest.raises(ValueError) as refused:
        locate(find("torchvision", "vgg_16"))
    assert "https://download.pytorch.org/models/vgg16-397923af.pth (" in str(refused.value)
    assert "Temporary failure in name resolution" in str(refused.value)
    assert "Put the file, as vgg16-397923af.pth, into " in str(refused.value)
    assert files_in("keras") == ["models"]


def test_ctrl_c_leaves_nothing(monkeypatch):
    def fetch_a_part(name, origin, cache_dir, cache_subdir):
        (Path(cache_dir) / name).write_bytes(b"part")
        raise KeyboardInterrupt

    monkeypatch.setattr("keras.utils.get_file", fetch_a_part)
    with pytest.raises(KeyboardInterrupt):
        locate(row())
    assert files_in("keras") == ["models"]


def test_what_was_fetched_is_checked_and_not_kept(server):
    words = r"whole\.pth returned is not the file .* as resnet50-0676ba61\.pth: its sha256 is "
    with pytest.raises(ValueError, match=words):
        locate(find("torchvision", "resnet_v1_5_50")._replace(address=f"{server}/whole.pth"))
    assert files_in("keras") == ["models"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_may_not_be_written_to(server):
    Path("keras").mkdir(mode=0o500)
    with pytest.raises(ValueError, match="Permission denied"):
        locate(row(f"{server}/whole.pth"))


def test_a_cache_that_cannot_be_a_folder(server):
    Path("keras").write_text("a file")
    with pytest.raises(
        ValueError, match=r"cannot fetch .* \(.*\)\. Put the file, as resnet50"
    ) as it:
        locate(row(f"{server}/whole.pth"))
    assert "\n" not in str(it.value)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("torchvision", "resnet50-0676ba61.pth"),
        ("timm/resnet50.a1_in1k", "resnet50.a1_in1k.safetensors"),
        ("timm/resnet50.a1_in1k", "resnet50.a1_in1k/model.safetensors"),
        ("timm/resnet50.a1_in1k", "models--timm--resnet50.a1_in1k/snapshots/767/model.safetensors"),
    ],
)
def test_the_users_folder_comes_first(name, place, monkeypatch):
    local = Path("mine", place)
    local.parent.mkdir(parents=True)
    local.write_bytes(CONTENT)
    monkeypatch.setenv(FOLDER, "mine")
    assert locate(row(digits="", name=name)) == local
    assert of_file(local).name == name


def test_the_users_folder_must_be_one(monkeypatch):
    monkeypatch.setenv(FOLDER, "none")
    with pytest.raises(ValueError, match=f"{FOLDER}: received 'none', which is no folder"):
        locate(row())


def test_a_local_file_that_is_not_the_published_one_stays_and_is_refused():
    name = "resnet50-0676ba61.pth"
    Path(name).write_bytes(CONTENT)
    words = rf"'{name}' is not the file that was published .* sha256 is {SHA[7:]}; expected 0676ba"
    with pytest.raises(ValueError, match=words):
        resolve(name)
    assert Path(name).read_bytes() == CONTENT
    Path("own-0676ba61.pth").write_bytes(CONTENT)
    assert resolve("own-0676ba61.pth") == (Path("own-0676ba61.pth"), None)


def test_names_and_files():
    with pytest.raises(ValueError, match="published for vgg_11"):
        resolve("keras", ["vgg_11"])
    with pytest.raises(ValueError, match="received 'torchvision'; expected a file, or a name"):
        resolve("torchvision")
    with pytest.raises(ValueError, match="'imagenet'; .* published for vgg_11: 'torchvision', "):
        resolve("imagenet", ["vgg_11"])
    with pytest.raises(ValueError, match="received 'xxx.* published for vgg_11"):
        resolve("x" * 5000, ["vgg_11"])
    assert resolve("none.pth") == (Path("none.pth"), None)
    Path("mine").mkdir()
    assert resolve("mine") == (Path("mine"), None)


def test_a_name_of_one_of_several_networks(monkeypatch):
    Path("mine").mkdir()
    Path("mine/vgg11.tv_in1k.safetensors").write_bytes(CONTENT)
    monkeypatch.setenv(FOLDER, "mine")
    path, published = resolve("timm", ["lenet_5", "vgg_11"])
    assert path == Path("mine/vgg11.tv_in1k.safetensors")
    assert published.network == "vgg_11"


CONFIG = {
    "architecture": "resnet50",
    "num_classes": 1000,
    "pretrained_cfg": {
        "tag": "a1_in1k",
        "input_size": [3, 224, 224],
        "test_input_size": [3, 288, 288],
        "interpolation": "bicubic",
        "crop_pct": 0.95,
        "test_crop_pct": 1.0,
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "num_classes": 1000,
    },
}


def hub(**changed):
    config = CONFIG | {name: value for name, value in changed.items() if name in CONFIG}
    inner = {name: value for name, value in changed.items() if name not in CONFIG}
    config["pretrained_cfg"] = config["pretrained_cfg"] | inner
    Path("hub").mkdir(exist_ok=True)
    Path("hub/config.json").write_text(json.dumps(config))
    Path("hub/model.safetensors").write_bytes(CONTENT)
    return "hub"


def test_a_folder_of_the_hub_says_what_its_images_are():
    assert of_file(hub()) == find("timm/resnet50.a1_in1k")
    path, published = resolve(hub(tag="mine_in5", num_classes=5, crop_pct=1, mean=[0, 0, 0.5]))
    assert path == Path("hub/model.safetensors")
    assert (published.name, published.network) == ("timm/resnet50.mine_in5", "resnet_v1_5_50")
    assert (published.classes, published.address, published.top1) == (5, "", None)
    images = images_of(published)
    assert (images["shorter_side"], images["mean"]) == (224, [0, 0, 0.5])
    assert of_file(hub(input_size=[3, 176, 176], test_input_size=None)).rows == 176
    assert of_file(hub(architecture="vit_base")) is None
    assert of_file(hub(architecture="resnetaa500")) is None
    Path("hub/config.json").write_text("[]")
    assert of_file("hub") is None


@pytest.mark.parametrize(
    "path",
    [
        "resnetblur50-84f4748f.pth",
        "resnetaa50_a1h-4cf422b3.pth",
        "resnetblur18.safetensors",
        "resnetblur50.bt_in1k/model.safetensors",
        "models--timm--resnetaa50.a1h_in1k/snapshots/0/model.safetensors",
    ],
)
def test_networks_that_weights_do_not_tell_from_a_resnet_are_refused_by_name(path):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(CONTENT)
    with pytest.raises(ValueError, match=r"timm's resnet(aa|blur)[15][08], which blurs where it"):
        resolve(path)
    with pytest.raises(ValueError, match="timm's resnetaa50, which blurs"):
        resolve(hub(architecture="resnetaa50"))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"mean": [0.5]}, r"mean: received \[0\.5\]; expected three numbers"),
        ({"mean": "grey"}, "mean: received 'grey'"),
        ({"mean": [float("nan")] * 3}, "mean: received"),
        ({"std": [0.2, 0, 0.2]}, r"std: received \[0\.2, 0, 0\.2\]"),
        ({"crop_pct": 0}, "crop_pct: received 0; expected a number above 0 and of at most 1"),
        ({"crop_pct": "0.9"}, "crop_pct: received '0.9'"),
        ({"input_size": [3, 10**9, 10**9]}, "input_size: received"),
        ({"input_size": 224}, "input_size: received 224"),
        ({"interpolation": "magic"}, "interpolation: received 'magic'; expected 'bilinear' or"),
        ({"num_classes": -1}, "num_classes: received -1"),
        ({"num_classes": "many"}, "num_classes: received 'many'"),
    ],
)
def test_a_description_that_cannot_be_is_refused_in_a_line(changed, words):
    with pytest.raises(ValueError, match=rf"cannot read 'hub/config\.json' \({words}") as refused:
        resolve(hub(**changed))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"architecture": "a', "\ud800"])
def test_a_description_that_is_no_json(text):
    hub()
    Path("hub/config.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ValueError, match=r"cannot read 'hub/config\.json' \(") as refused:
        of_file("hub/model.safetensors")
    assert "\n" not in str(refused.value)
