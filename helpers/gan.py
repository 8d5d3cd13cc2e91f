"""The game of a generative adversarial network, and a judge of the digits that it makes."""

from helpers.data import Source
from helpers.data.registry import DATASETS
from helpers.data.sources import damaged_offline

MEASURED = DATASETS / "digits" / "gans.csv"  # by datasets/measure_gans.py


def _cross_entropy(real, made):
    from keras import ops

    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(made))


def _not_saturating(made):
    from keras import ops

    return ops.mean(ops.softplus(-made))


def player(inputs, outputs, loss, rate):
    """Return a Keras model that learns by a loss of its outputs alone: `loss(*outputs)`.

    It is compiled with Adam (beta1 0.5, as Radford et al. 2016 advise for GANs). `rate` is a number
    or a schedule. `train_on_batch(x)` makes one step and returns the loss on this batch as a float.
    """
    import keras

    class Player(keras.Model):
        # Of all that can be overridden, this alone means the same on every backend.
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return loss(*(y_pred if isinstance(y_pred, list | tuple) else [y_pred]))

        def train_on_batch(self, x):
            parts = x if isinstance(x, list | tuple) else [x]
            # PyTorch's trainer takes arrays or tensors, but not both at once.
            parts = [keras.ops.convert_to_numpy(part) for part in parts]
            return float(super().train_on_batch(parts if len(parts) > 1 else parts[0]))

    model = Player(inputs, outputs)
    model.compile(keras.optimizers.Adam(rate, beta_1=0.5))
    return model


class Game:
    """Two players and the models that train them.

    generator: a model from noise to data, or from [noise, label]; discriminator: a model from data
    to one logit, or from [data, label]. `critic`, made of the discriminator twice, learns by
    `discriminator_loss(real, made)`, two tensors of logits (n, 1); it takes [real, made], or
    [real, label, made, label]. `forger`, the generator followed by the discriminator, learns by
    `generator_loss(made)`; it takes what the generator takes. Without losses given they are the
    cross-entropy and the loss that doesn't saturate (Goodfellow et al. 2014). rate: the learning
    rate of both optimizers, a number or a schedule.

    Which weights a step moves is set by `discriminator.trainable` *before* the step.
    """

    def __init__(
        self,
        generator,
        discriminator,
        discriminator_loss=_cross_entropy,
        generator_loss=_not_saturating,
        rate=1e-3,
    ):
        import keras

        def empty(model):
            return [keras.Input(t.shape[1:], dtype=t.dtype) for t in model.inputs]

        def apply(model, inputs):
            return model(inputs if len(inputs) > 1 else inputs[0])

        self.generator, self.discriminator = generator, discriminator
        real, made, noise = empty(discriminator), empty(discriminator), empty(generator)
        self.critic = player(
            real + made,
            [apply(discriminator, real), apply(discriminator, made)],
            discriminator_loss,
            rate,
        )
        self.forger = player(
            noise if len(noise) > 1 else noise[0],
            apply(discriminator, [apply(generator, noise), *noise[1:]]),
            generator_loss,
            rate,
        )


def judge_network():
    """Return the network of the judge without its training: 117,722 weights.

    It takes images of digits (n, 28, 28, 1) with values 0 to 255, which it scales itself, and
    returns the probabilities of the ten digits, (n, 10), and what its last hidden layer holds
    before its ReLU, (n, 64): the features in which real and made digits are compared.
    """
    import keras
    from keras import layers

    images = keras.Input((28, 28, 1))
    x = layers.Rescaling(1 / 255)(images)
    for filters, stride in [(16, 1), (16, 2), (32, 1), (32, 2)]:
        x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    features = layers.Dense(64)(x)
    x = layers.Dropout(0.3)(layers.ReLU()(features))
    digits = layers.Dense(10, activation="softmax")(x)
    return keras.Model(images, [digits, features], name="judge")


def judge_file(source: Source):
    """Return the path of the judge's weights that go with the digits of `source`."""
    return DATASETS / "digits" / f"judge_{'mnist' if source.real else 'offline'}.weights.h5"


def judge(source: Source):
    """Return the trained judge that goes with the digits of `source`, as `data.mnist()` gives it.

    `datasets/train_judge.py` trained it. Raises `DataError` when its weights are damaged.
    """
    model = judge_network()
    try:
        model.load_weights(judge_file(source))
    except (OSError, ValueError, KeyError) as error:
        raise damaged_offline(error) from error
    return model


def frechet(real, made):
    """Return the Frechet distance between two heaps of features, (n, f) and (m, f).

    Each heap is taken for a normal distribution (Heusel et al. 2017, who call it FID for the
    features of their judge).
    """
    import numpy as np

    difference = real.mean(axis=0) - made.mean(axis=0)
    c, d = (np.cov(features, rowvar=False) for features in (real, made))
    # The trace of a root is the sum of the roots of the eigenvalues; rounding makes some negative.
    roots = np.sqrt(np.maximum(np.linalg.eigvals(c @ d).real, 0))
    return float(difference @ difference + np.trace(c + d) - 2 * roots.sum())
