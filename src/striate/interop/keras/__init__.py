"""Models of Keras, read without Keras: ``.keras``, ``.h5`` and ``.hdf5`` files."""

from striate.interop.keras.load import load

__all__ = ["load"]
