"""Well-known networks: each a short function from classes and input shape to a network."""

from striate.models.alexnet import alexnet
from striate.models.classic import logistic_regression, mlp, perceptron, xor
from striate.models.cnn import cnn
from striate.models.digit_recogniser import digit_recogniser
from striate.models.efficientnet import efficientnet_b0
from striate.models.googlenet import googlenet
from striate.models.lenet import lenet5
from striate.models.lenet_1998 import lenet5_1998
from striate.models.mobilenet import mobilenet_v2, mobilenet_v3_large, mobilenet_v3_small
from striate.models.photo_cnn import photo_cnn
from striate.models.registry import MODELS, build
from striate.models.resnet import resnet18, resnet34, resnet50, resnet101, resnet152
from striate.models.series_cnn import series_cnn
from striate.models.signal_cnn import signal_cnn
from striate.models.squeezenet import squeezenet1_0, squeezenet1_1
from striate.models.text_cnn import text_cnn
from striate.models.unet import unet
from striate.models.vgg import small_vgg, vgg11, vgg13, vgg16, vgg19
from striate.models.volume_cnn import volume_cnn
from striate.models.voxnet import voxnet

__all__ = [
    "MODELS",
    "alexnet",
    "build",
    "cnn",
    "digit_recogniser",
    "efficientnet_b0",
    "googlenet",
    "lenet5",
    "lenet5_1998",
    "logistic_regression",
    "mlp",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    "perceptron",
    "photo_cnn",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "series_cnn",
    "signal_cnn",
    "small_vgg",
    "squeezenet1_0",
    "squeezenet1_1",
    "text_cnn",
    "unet",
    "vgg11",
    "vgg13",
    "vgg16",
    "vgg19",
    "volume_cnn",
    "voxnet",
    "xor",
]
