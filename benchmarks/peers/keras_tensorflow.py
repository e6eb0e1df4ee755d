"""Keras on TensorFlow: its own compiled training step, called on batches that are ready."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from benchmarks.networks import Case
from benchmarks.peers.chain import Stage, batches, stages
from benchmarks.timing import Work


def training(case: Case, x: np.ndarray, y: np.ndarray, batch: int) -> Work:
    """Return the work of training steps."""
    model = _model(case, x)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    data = [(tf.constant(part), tf.constant(y[i * batch :][:batch])) for i, part in enumerate(batches(x, batch))]

    @tf.function
    def step(inputs: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = model.loss(labels, model(inputs, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    def work(repetitions: int) -> None:
        for i in range(repetitions):
            loss = step(*data[i % len(data)])
        float(loss)

    return work


def inference(case: Case, x: np.ndarray, batch: int) -> Work:
    """Return the work of inference."""
    model = tf.function(_model(case, x))
    data = [tf.constant(part) for part in batches(x, batch)]

    def work(repetitions: int) -> None:
        for i in range(repetitions):
            outputs = model(data[i % len(data)])
        outputs.numpy()

    return work


def _model(case: Case, x: np.ndarray) -> keras.Model:
    shape = (*x.shape[2:], x.shape[1])
    return keras.Sequential([keras.Input(shape), *(_layer(stage) for stage in stages(case.network()))])


def _layer(stage: Stage) -> keras.Layer:
    rank, padding = len(stage.kernel), stage.padding.lower()
    if stage.kind == "convolution":
        convolution = getattr(keras.layers, f"Conv{rank}D")
        return convolution(stage.features, stage.kernel, stage.stride, padding, kernel_initializer="he_normal")
    if stage.kind in ("maximum", "average"):
        pooling = getattr(keras.layers, f"{'Max' if stage.kind == 'maximum' else 'Average'}Pooling{rank}D")
        return pooling(stage.kernel, stage.stride, padding)
    if stage.kind == "linear":
        return keras.layers.Dense(stage.features, kernel_initializer="he_normal")
    return keras.layers.Flatten() if stage.kind == "flatten" else keras.layers.Activation(stage.activation)
