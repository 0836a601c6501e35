"""The bodies of answers and requests, for the OpenAPI description and for tests."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Schema(BaseModel):
    """A body, which has no other keys."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Guess(Schema):
    """A class that an image may be of."""

    name: str = Field(alias="class", description="The name of the class.")
    label: int = Field(description="The number of the class, from 0.")
    probability: float = Field(ge=0, le=1, description="From 0 to 1.")


class OneImage(Schema):
    """The most probable classes of one image, best first."""

    image: str = Field(description="The name of the file, or its number in the request.")
    top: list[Guess]


class Classified(Schema):
    """The answer to images, in their order."""

    model: str = Field(description="The name of the network.")
    images: list[OneImage]
    doubtful: list[str] = Field(description="Warnings about images whose pixels look odd.")


class LookedAt(Schema):
    """What the model looked at in one image."""

    model: str = Field(description="The name of the network.")
    image: str = Field(description="The name of the file.")
    name: str = Field(alias="class", description="The class that the map is for.")
    label: int = Field(description="The number of the class, from 0.")
    probability: float = Field(ge=0, le=1, description="From 0 to 1.")
    layer: str = Field(description="The layer whose feature maps were looked at, by Grad-CAM.")
    picture: str = Field(description="The image under its map: the data: address of a PNG.")


class Base64(Schema):
    """An image file in base64."""

    b64: str = Field(json_schema_extra={"contentEncoding": "base64"})


class ImagesAsJson(Schema):
    """Images in JSON, each as base64 or as a data: address."""

    images: list[str | Base64] = Field(min_length=1)


class Problem(Schema):
    """Why a request is refused. `error` says all of it in one line."""

    error: str
    status: int
    what: str = Field(description="What is wrong: an image, a field, the body.")
    received: str
    expected: str
    remedy: str


class Health(Schema):
    """Whether the server works."""

    status: str = Field(description="`ok`, or `failed` with the status code 503.")
    model: str
    waiting: int = Field(description="Images that are decoded, wait or are classified.")
    images: int = Field(description="Images classified since the start.")
    batches: int = Field(description="Batches in which they were.")


class Facts(Schema):
    """What is known of the model, and what the server accepts."""

    model: str
    runtime: str
    input_shape: list[int | None] = Field(description="Of one prepared image, as it takes it.")
    input_type: str
    outputs: str = Field(description="`softmax`, `sigmoid`, or `linear` for logits.")
    preprocessing: str | None = Field(description="In words; null if it is inside a foreign file.")
    preprocessing_config: dict[str, Any] | None
    classes: int
    class_names: list[str]
    limits: dict[str, int]


class Instances(Schema):
    """A request of TensorFlow Serving, of rows or of columns; one of the two is needed."""

    signature_name: str | None = Field(None, description="`serving_default`, if it is given.")
    instances: list[Any] | None = Field(
        None,
        description='Images: arrays as the model takes them, {"b64": ...} of image files, or '
        "objects with one of these as `images`.",
    )
    inputs: Any = Field(None, description="A batch of the same, or an object with it as `images`.")


class Rows(Schema):
    """The answer to `instances`: the outputs of the model, a list for each image."""

    predictions: list[list[float]]


class Columns(Schema):
    """The answer to `inputs`: the outputs of the model, a list for each image."""

    outputs: list[list[float]]


class Status(Schema):
    """Whether a version could be loaded."""

    error_code: str
    error_message: str


class VersionStatus(Schema):
    """The state of a version."""

    version: str
    state: str
    status: Status


class ModelStatus(Schema):
    """The states of the versions of a model."""

    model_version_status: list[VersionStatus]


class Metadata(Schema):
    """The signature of a model, as TensorFlow Serving describes it."""

    model_spec: dict[str, Any]
    metadata: dict[str, Any]
