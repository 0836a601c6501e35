"""What the pickles of PyTorch mean: tensors, and the storages that have their values.

A file of PyTorch is a pickle, in which a tensor is a view of a storage, and the storages apart from
it. Only a few names have a meaning here, those of `_REBUILT`. Whatever else training scripts put
beside the weights, such as their arguments, is an `Opaque`, which has nothing but a name: no class
is ever imported. A call of a function of Python's own that no such script needs, such as
``os.system``, is not executed either, but means that the file is not what it claims to be: it is
refused.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from keras_convnets.readers.damage import DamagedFile, shown
from keras_convnets.readers.numeric import is_shape
from keras_convnets.readers.pickle_calls import check_call, dotted
from keras_convnets.readers.pickle_values import Name, Unfinished, text_of
from keras_convnets.readers.torch_kinds import DTYPES, KINDS

MOST = 1_000_000  # instructions of a pickle; a tensor takes about 50
_STORAGES = ("torch", "torch.cuda", "torch.storage")
_MAPPINGS = ("OrderedDict", "Counter", "defaultdict")
_MOST = 1 << 62


@dataclasses.dataclass(frozen=True)
class Storage:
    """A storage, whose values are elsewhere in the file.

    Attributes:
        key: its name in the file.
        kind: the name of the kind of its values, such as ``"Float"``.
        count: how many values it has.
    """

    key: str
    kind: str
    count: int

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.count * KINDS[self.kind][1]


@dataclasses.dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor: a view of a storage.

    Attributes:
        storage: the storage.
        code: the type of its values, as NumPy writes it, or ``BFLOAT16``.
        offset: the first of its values in the storage.
        shape: its shape.
        strides: the distances of values along each axis, in values.
    """

    storage: Storage
    code: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class Opaque(Unfinished):
    """Something of which only the name is known: an instance of a class, or what a call returns.

    Attributes:
        name: the name of the class or function.
        is_tensor: whether it is a tensor, of a kind that is not read.
    """

    def __init__(self, name: str, is_tensor: bool = False) -> None:
        self.name, self.is_tensor = name, is_tensor

    def build(self, state: Any) -> None:
        """Ignore the state."""

    def extend(self, items: list[Any]) -> None:
        """Ignore items."""

    def update(self, items: dict[Any, Any]) -> None:
        """Ignore keys."""


class _Mapping(dict[Any, Any], Unfinished):
    """A dictionary of a kind that has a state of its own, such as a state dict's versions."""

    def build(self, state: Any) -> None:
        """Ignore the state."""


@dataclasses.dataclass(frozen=True)
class _View:
    """A part of a storage, which old versions of PyTorch give a name of its own."""

    storage: Storage
    start: int
    count: int


class TorchValues:
    """The meaning of the names and the persistent ids in a pickle of PyTorch.

    Attributes:
        storages: the storages that the pickle refers to, by name.
    """

    def __init__(self) -> None:
        self.storages: dict[str, Storage] = {}

    def call(self, function: Name, arguments: tuple[Any, ...]) -> Any:
        """Return what a call of PyTorch returns, and an `Opaque` for any other."""
        module, name = function
        if function in _REBUILT:
            return _REBUILT[function](*arguments)
        if function == ("torch._tensor", "_rebuild_from_type_v2"):  # a tensor with attributes
            rebuild, _, of, _ = arguments
            if rebuild in _REBUILT and type(of) is tuple:
                return _REBUILT[rebuild](*of)
            return Opaque(dotted(function), is_tensor=True)
        if module == "collections" and name in _MAPPINGS:
            return _mapping(arguments)
        check_call(function)
        if module in ("copyreg", "copy_reg") and arguments and isinstance(arguments[0], Name):
            return Opaque(dotted(arguments[0]))  # the class of which an instance is made
        return Opaque(dotted(function), is_tensor=module == "torch._utils")

    def persistent(self, identifier: Any) -> Any:
        """Return the storage, or the class, that a persistent id refers to."""
        if type(identifier) is not tuple or not identifier:
            raise DamagedFile("it refers to a storage in an unknown way")
        what, *rest = identifier
        match (text_of(what), rest):
            case ("storage", [Name() as kind, key, _, int(count)]):
                return self._storage(kind, text_of(key), count, None)
            case ("storage", [Name() as kind, key, _, int(count), view]):
                return self._storage(kind, text_of(key), count, view)
            case ("module", [Name() as found, *_]):  # a class with its source, which nobody reads
                return found
        raise DamagedFile("it refers to a storage in an unknown way")

    def _storage(self, kind: Name, key: str, count: int, view: Any) -> Storage | _View:
        short = kind.name.removesuffix("Storage")
        if kind.module not in _STORAGES or short not in KINDS or short == kind.name:
            raise DamagedFile(f"it has a storage of type {dotted(kind)}")
        if not 0 <= count < _MOST:
            raise DamagedFile(f"it has a storage of {count} values")
        found = Storage(key, short, count)
        if self.storages.setdefault(key, found).size != found.size:
            raise DamagedFile(f"its storage {shown(repr(key))} has two sizes")
        if view is None:
            return found
        _, start, size = view
        if not 0 <= start <= start + size <= count:
            raise DamagedFile(f"it has a view beyond its storage {shown(repr(key))}")
        return _View(found, start, size)


def _mapping(arguments: tuple[Any, ...]) -> _Mapping:
    """Return an ordered dictionary: empty, of pairs (Python 2), or of counts."""
    *_, items = arguments or (None,)
    if isinstance(items, dict):
        return _Mapping(items)
    found = _Mapping()
    for pair in items if type(items) is list else ():
        key, value = pair
        if type(key) not in (str, bytes, int) or key in found:
            raise DamagedFile("it has a dictionary whose keys are not different strings")
        found[key] = value
    return found


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor | Opaque:
    """Return a tensor as ``torch._utils._rebuild_tensor_v2`` has it."""
    kind = storage.storage.kind if isinstance(storage, _View) else getattr(storage, "kind", "")
    return _typed(storage, offset, shape, strides, *KINDS.get(kind, ("", 1)))


def _tensor_of_type(
    storage: Any, offset: Any, shape: Any, strides: Any, _: Any, __: Any, dtype: Any, *___: Any
) -> Tensor | Opaque:
    """Return a tensor whose storage has no type, as ``torch._utils._rebuild_tensor_v3`` has it."""
    name = dtype.name if isinstance(dtype, Name) else ""
    if name not in DTYPES:
        return Opaque(shown(f"torch.{name}"), is_tensor=True)
    return _typed(storage, offset, shape, strides, *DTYPES[name])


def _typed(
    storage: Any, offset: Any, shape: Any, strides: Any, code: str, size: int
) -> Tensor | Opaque:
    start, most = 0, None
    if isinstance(storage, _View):
        storage, start, most = storage.storage, storage.start, storage.count
    if not isinstance(storage, Storage):
        raise DamagedFile("it has a tensor without a storage")
    if not code:
        return Opaque(f"torch.{storage.kind}Storage", is_tensor=True)
    count = storage.size // size if most is None else most
    if not is_shape(shape) or not is_shape(strides) or len(shape) != len(strides):
        raise DamagedFile(f"it has a tensor of shape {shown(str(shape))}")
    if type(offset) is not int or not _is_within(offset, shape, strides, count):
        raise DamagedFile(
            f"it has a tensor of shape {shown(str(shape))} and strides {shown(str(strides))} "
            f"beyond its storage of {count:,} values"
        )
    if math.prod(shape) > count:  # as expand() makes them: nobody's weights
        return Opaque(f"its {count:,} values are repeated", is_tensor=True)
    return Tensor(storage, code, start + offset, shape, strides)


def _is_within(offset: int, shape: tuple[int, ...], strides: tuple[int, ...], count: int) -> bool:
    """Return whether all values of a tensor are within its storage."""
    if 0 in shape:
        return 0 <= offset <= count
    return offset >= 0 and offset + furthest(shape, strides) < count


def furthest(shape: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """Return how far the last value of a tensor that is not empty is from its first."""
    return sum((axis - 1) * step for axis, step in zip(shape, strides, strict=True))


_REBUILT: dict[Any, Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _tensor_of_type,
    ("torch._utils", "_rebuild_parameter"): lambda data, *_: data,
    ("torch._utils", "_rebuild_parameter_with_state"): lambda data, *_: data,
    ("torch.nn.parameter", "Parameter"): lambda data, *_: data,
    ("torch", "Size"): lambda sizes: tuple(sizes),
}
