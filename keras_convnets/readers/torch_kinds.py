"""The kinds of values that storages of PyTorch have."""

BFLOAT16 = "bfloat16"
# The kinds of values by the names of their storages; one without a code cannot be an array.
KINDS = {
    "Double": ("<f8", 8),
    "Float": ("<f4", 4),
    "Half": ("<f2", 2),
    "BFloat16": (BFLOAT16, 2),
    "Long": ("<i8", 8),
    "Int": ("<i4", 4),
    "Short": ("<i2", 2),
    "Char": ("|i1", 1),
    "Byte": ("|u1", 1),
    "Bool": ("|b1", 1),
    "Untyped": ("|u1", 1),
    "_Untyped": ("|u1", 1),
    "ComplexFloat": ("", 8),
    "ComplexDouble": ("", 16),
    "QUInt8": ("", 1),
    "QInt8": ("", 1),
    "QInt32": ("", 4),
    "QUInt4x2": ("", 1),
    "QUInt2x4": ("", 1),
}
DTYPES = {"uint16": ("<u2", 2), "uint32": ("<u4", 4), "uint64": ("<u8", 8)}  # without a storage
