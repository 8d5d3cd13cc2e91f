"""The checks of lab 11 against right, blank and wrong answers."""

import math
import re

import keras
import numpy as np
import pytest
from failing import at_once, fails, three_tests
from keras import layers, ops
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from scipy.stats import entropy

from helpers.checks import gan as check
from helpers.checks.core import NotAttempted

# --- autoencoder ---------------------------------------------------------------------------------


def encoder(*end, size=2):
    start = [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(12, activation="relu")]
    return keras.Sequential(start + (list(end) or [layers.Dense(size)]))


def decoder(*end, activation="sigmoid"):
    end = end or [layers.Dense(784, activation=activation), layers.Reshape((28, 28, 1))]
    return keras.Sequential([keras.Input((2,)), layers.Dense(12, activation="relu"), *end])


def linear(*hidden, scale=1):
    sizes = [layers.Dense(size) for size in (*hidden, 2)]
    start = [keras.Input((28, 28, 1)), layers.Rescaling(scale), layers.Flatten()]
    return keras.Sequential(start + sizes)


def shallow():
    """A decoder without a hidden layer."""
    pixels = layers.Dense(784, activation="sigmoid")
    return keras.Sequential([keras.Input((2,)), pixels, layers.Reshape((28, 28, 1))])


def nearly_linear():
    """An encoder whose activation bends hardly anything where the values are small."""
    start = [keras.Input((28, 28, 1)), layers.Rescaling(1 / 255), layers.Flatten()]
    return keras.Sequential([*start, layers.Dense(9, activation="tanh"), layers.Dense(2)])


def bounded():
    """An encoder whose numbers stay far below 1, although its last layer has no activation."""
    start = [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(9, activation="softmax")]
    small = keras.initializers.RandomUniform(-0.1, 0.1)
    return keras.Sequential([*start, layers.Dense(2, kernel_initializer=small)])


def convolutional():
    image = keras.Input((28, 28, 1))
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(3, 3, strides=2, padding="same", activation="relu")(x)
    encoder = keras.Model(image, layers.Dense(2)(layers.Flatten()(x)))
    point = keras.Input((2,))
    x = layers.Reshape((14, 14, 1))(layers.Dense(196)(point))
    x = layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="sigmoid")(x)
    return encoder, keras.Model(point, x)


def unbuilt():
    return (
        keras.Sequential([layers.Flatten(), layers.Dense(9, activation="gelu"), layers.Dense(2)]),
        keras.Sequential(
            [
                layers.Dense(9, activation="gelu"),
                layers.Dense(784, activation="sigmoid"),
                layers.Reshape((28, 28, 1)),
            ]
        ),
    )


@pytest.mark.parametrize(
    "pair",
    [
        lambda: (encoder(), decoder()),
        lambda: (nearly_linear(), decoder()),
        lambda: (bounded(), decoder()),
        convolutional,
        unbuilt,
    ],
)
def test_right_autoencoders_pass(pair):
    check.autoencoder(*pair())


@pytest.mark.parametrize(
    ("pair", "phrase"),
    [
        (lambda: (encoder(size=3), decoder()), "two numbers for each image"),
        (lambda: (keras.Sequential([layers.Conv2D(2, 3)]), decoder()), "stack of maps"),
        (lambda: (encoder(layers.Dense(2, activation="relu")), decoder()), "quarter of the plane"),
        (lambda: (encoder(layers.Dense(2), layers.ReLU()), decoder()), "quarter of the plane"),
        (lambda: (encoder(layers.Dense(2, activation="softmax")), decoder()), "add up to 1"),
        (lambda: (encoder(layers.Dense(2, activation="sigmoid")), decoder()), "after a sigmoid"),
        (lambda: (encoder(layers.Dense(2, activation="tanh")), decoder()), "after a tanh"),
        (lambda: (encoder(layers.Dense(2), layers.Activation("tanh")), decoder()), "after a tanh"),
        (
            lambda: (encoder(layers.Activation("tanh"), layers.Dense(2, "sigmoid")), decoder()),
            "after a sigmoid",
        ),
        (lambda: (encoder(), decoder(activation=None)), "sigmoid gives"),
        (lambda: (encoder(), decoder(activation="relu")), "sigmoid gives"),
        (lambda: (encoder(), decoder(activation="tanh")), "tanh gives"),
        (lambda: (encoder(), decoder(layers.Dense(784, activation="sigmoid"))), "image is flat"),
        (
            lambda: (encoder(), decoder(layers.Dense(784), layers.Reshape((28, 28)))),
            "axis of channels",
        ),
        (
            lambda: (encoder(), decoder(layers.Dense(49), layers.Reshape((7, 7, 1)))),
            "7 doubled twice",
        ),
        (
            lambda: (
                encoder(),
                decoder(layers.Dense(784), layers.Reshape((28, 28, 1)), layers.Softmax()),
            ),
            "as with a softmax",
        ),
        (lambda: (encoder(), decoder(activation="softmax")), "as with a softmax"),
        (lambda: (linear(), decoder()), "encoder has no hidden layer"),
        (lambda: (encoder(), shallow()), "decoder has no hidden layer"),
        (lambda: (linear(256, 64), decoder()), "encoder is linear"),
        (lambda: (linear(256, 64, scale=1 / 255), decoder()), "encoder is linear"),
        (lambda: (decoder(), encoder()), "changed places"),
        (lambda: (encoder, decoder()), "a Keras model"),
        (lambda: (encoder(), keras.Sequential([keras.Input((5,)), layers.Dense(2)])), "expected"),
    ],
)
def test_wrong_autoencoders_fail(pair, phrase):
    fails(check.autoencoder, *pair(), match=re.escape(phrase))


def test_an_encoder_keeps_its_weights():
    model = encoder()
    before = model.get_weights()
    check.autoencoder(model, decoder())
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_an_autoencoder_of_one_half_is_not_attempted():
    fails(check.autoencoder, encoder(), None, match="`decoder` has no value", kind=NotAttempted)


# --- noise ---------------------------------------------------------------------------------------


def noisy(draw=lambda rng, x: rng.standard_normal(x.shape), end=lambda y: np.clip(y, 0, 1)):
    """Additive noise with a fault."""
    return lambda images, amount, rng: end(images + amount * draw(rng, images))


def in_place(images, amount, rng):
    images += amount * rng.standard_normal(images.shape)
    return np.clip(images, 0, 1)


def image_by_image(images, amount, rng):
    result = np.zeros(images.shape, dtype="float32")
    for place, image in enumerate(images):
        result[place] = np.minimum(np.maximum(rng.normal(image, amount), 0), 1)
    return result


# --- losses --------------------------------------------------------------------------------------

logits = keras.losses.BinaryCrossentropy(from_logits=True)
probabilities = keras.losses.BinaryCrossentropy()


def d_loss(t=lambda s: (1 - s, 0), end=lambda r, m: ops.mean(r) + ops.mean(m), link=lambda x: x):
    """The discriminator's loss with a fault."""

    def discriminator_loss(real, made, smooth=0.0):
        terms = [ops.softplus(link(x)) - y * link(x) for x, y in zip((real, made), t(smooth))]  # noqa: B905
        return end(*terms)

    return discriminator_loss


def smoothed(term):
    """The discriminator's loss with this cross-entropy for the real images."""
    return lambda r, m, smooth=0.0: ops.mean(term(r, smooth)) + ops.mean(ops.softplus(m))


def by_keras(real, made, smooth=0.0, loss=logits):
    return loss(ops.ones_like(real) * (1 - smooth), real) + loss(ops.zeros_like(made), made)


def by_logs(real, made, smooth=0.0, epsilon=0.0):
    p, q = ops.sigmoid(real), ops.sigmoid(made)
    right = (1 - smooth) * ops.log(p + epsilon) + smooth * ops.log(1 - p + epsilon)
    return -ops.mean(right) - ops.mean(ops.log(1 - q + epsilon))


def label_smoothing(real, made, smooth=0.0):
    loss = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=smooth)
    return loss(ops.ones_like(real), real) + loss(ops.zeros_like(made), made)


def by_numpy(real, made, smooth=0.0):
    real, made = np.array(real), np.array(made)
    return np.mean(np.logaddexp(0, -real) + smooth * real) + np.mean(np.logaddexp(0, made))


def detached(real, made, smooth=0.0):
    return ops.convert_to_tensor(by_numpy(real, made, smooth))


def half_detached(real, made, smooth=0.0):
    made = ops.stop_gradient(ops.convert_to_tensor(made))
    return by_keras(real, made, smooth)


# --- steps ---------------------------------------------------------------------------------------


def d_step(
    free=True,
    make=lambda game, noise: game.generator.predict_on_batch(noise),
    train=lambda game, real, made, noise: game.critic.train_on_batch([real, made]),
    end=lambda loss: loss,
):
    """A step of the discriminator with a fault; `free` None leaves it as it is."""

    def discriminator_step(game, real, noise):
        if free is not None:
            game.discriminator.trainable = free
        return end(train(game, real, make(game, noise), noise))

    return discriminator_step


def g_step(free=False, train=lambda game, z: game.forger.train_on_batch(z), end=lambda x: x):
    """A step of the generator with a fault."""

    def generator_step(game, noise):
        if free is not None:
            game.discriminator.trainable = free
        return end(train(game, noise))

    return generator_step


def forger_frozen(game, z):
    game.forger.trainable = False
    return game.forger.train_on_batch(z)


def generator_frozen(game, z):
    game.generator.trainable = False
    return game.forger.train_on_batch(z)


def twice(game, z):
    game.forger.train_on_batch(z)
    return game.forger.train_on_batch(z)


def both(game, real, made, noise):
    loss = game.critic.train_on_batch([real, made])
    game.forger.train_on_batch(noise)
    return loss


def moved(game, real, made, noise):
    loss = game.critic.train_on_batch([real, made])
    game.generator.set_weights([w + 1 for w in game.generator.get_weights()])
    return loss


# --- measures ------------------------------------------------------------------------------------


def shares(digits):
    return np.array([np.mean(digits == digit) for digit in range(10)])


def diversity(end=lambda p: entropy(p) / np.log(10), first=shares):
    return lambda digits: (first(digits), end(shares(digits)))


def by_loop(digits):
    count = [0.0] * 10
    for digit in digits:
        count[digit] += 1 / len(digits)
    return count, -sum(p * np.log10(p) for p in count if p > 0)


def frechet(
    far=lambda d: np.sum(d**2),
    near=lambda a, b: np.trace(a + b - 2 * np.real(sqrtm(a @ b))),
    **settings,
):
    """A Frechet distance with a fault."""

    def frechet(real, made):
        a, b = (np.cov(x, **{"rowvar": False, **settings}) for x in (real, made))
        return far(real.mean(axis=0) - made.mean(axis=0)) + near(a, b)

    return frechet


def no_maximum(a, b):
    return np.trace(a + b) - 2 * np.sqrt(np.linalg.eigvals(a @ b).real).sum()


def by_eigenvalues(real, made):
    a, b = np.cov(real.T, ddof=0), np.cov(made.T, ddof=0)
    root = np.sqrt(np.linalg.eigvals(a @ b).real.clip(0)).sum()
    return np.linalg.norm(real.mean(0) - made.mean(0)) ** 2 + np.trace(a) + np.trace(b) - 2 * root


def nearest(
    d=lambda a, b: a.astype(float) - b, table=lambda d: np.sqrt((d**2).sum((2, 3))), axis=1
):
    """The nearest image with a fault in the differences or in the table of distances."""

    def nearest(made, real):
        distances = table(d(made[:, None], real[None]))
        return distances.argmin(axis), distances.min(axis)

    return nearest


def row_by_row(table):
    """A loop over the made images, with a fault in the table (n, ...) of distances."""

    def nearest(made, real):
        tables = [table(real.astype(float) - image) for image in made]
        return [d.argmin() for d in tables], [np.sqrt(d.min()) for d in tables]

    return nearest


def by_cdist(made, real):
    distances = cdist(made.reshape(len(made), -1), real.reshape(len(real), -1))
    return distances.argmin(1), distances.min(1)


def by_expansion(made, real):
    a, b = (np.float32(x).reshape(len(x), 784) for x in (made, real))
    square = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    index = square.argmin(1).tolist()
    return index, [np.sqrt(max(square[i, k], 0)) for i, k in enumerate(index)]


def slerp(
    cosine=lambda a, b: np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b),
    t=lambda steps: np.linspace(0, 1, steps),
    angle=lambda c: np.arccos(np.clip(c, -1, 1)),
    end=lambda path: path,
    straight=lambda w: abs(np.sin(w)) < 1e-7,
):
    """A path with a fault; `straight` tells from the angle where it is the straight line."""

    def slerp(start, end_point, steps):
        w = angle(cosine(start, end_point))
        if straight(w):
            return end([(1 - s) * start + s * end_point for s in t(steps)])
        path = [np.sin((1 - s) * w) * start + np.sin(s * w) * end_point for s in t(steps)]
        return end(np.array(path) / np.sin(w))

    return slerp


def product_of_lengths(a, b):
    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))


def by_tensors(start, end, steps):
    a, b = (ops.convert_to_tensor(np.float32(x)) for x in (start, end))
    w = ops.arccos(ops.clip(ops.sum(a * b) / ops.norm(a) / ops.norm(b), -1, 1))
    t = ops.reshape(ops.linspace(0.0, 1.0, steps), (-1, 1))
    if float(ops.sin(w)) < 1e-3:
        return a + t * (b - a)
    return (ops.sin((1 - t) * w) * a + ops.sin(t * w) * b) / ops.sin(w)


def unless_equal(start, end, steps):
    path = lerp if np.allclose(start, end) else slerp(straight=lambda w: False)
    return path(start, end, steps)


def lerp(start, end, steps):
    return np.linspace(start, end, steps)


RIGHT = {
    check.noisy: [
        noisy(),
        image_by_image,
        noisy(draw=lambda rng, x: rng.standard_normal(x.shape, dtype=np.float32)),
    ],
    check.discriminator_loss: [d_loss(), by_keras],
    check.generator_loss: [
        lambda made: ops.mean(ops.softplus(-made)),
        lambda made: logits(ops.ones_like(made), made),
        lambda made: -ops.sum(ops.log_sigmoid(made)) / made.shape[0],
    ],
    check.discriminator_step: [
        d_step(),
        d_step(make=lambda game, z: ops.convert_to_numpy(game.generator(z, training=True))),
        d_step(make=lambda game, noise: game.generator.predict(noise, verbose=0), end=np.float32),
    ],
    check.generator_step: [g_step(), g_step(train=lambda game, z: game.forger.train_on_batch(x=z))],
    check.diversity: [diversity(), by_loop],
    check.frechet: [frechet(), frechet(ddof=0), by_eigenvalues],
    check.nearest: [nearest(), by_cdist, by_expansion],
    check.slerp: [slerp(), by_tensors],
}

WRONG = {
    check.noisy: [
        (noisy(end=lambda y: y), "Images end at 0 and at 1"),
        (noisy(draw=lambda rng, x: rng.uniform(-1, 1, x.shape)), "is uniform"),
        (noisy(draw=lambda rng, x: rng.random(x.shape)), "never negative"),
        (lambda x, amount, rng: np.clip(rng.normal(x, amount), 0, amount), "the upper limit"),
        (lambda x, amount, rng: x + np.clip(rng.normal(0, amount, x.shape), 0, 1), "not the sum"),
        (noisy(draw=lambda rng, x: np.clip(rng.standard_normal(x.shape), 0, 1)), "not the sum"),
        (noisy(draw=lambda rng, x: abs(rng.standard_normal(x.shape))), "never negative"),
        (noisy(draw=lambda rng, x: rng.standard_normal(x.shape[1:])), "Every image"),
        (noisy(draw=lambda rng, x: rng.standard_normal()), "Every image"),
        *(
            (noisy(draw=draw), "a number of its own")
            for draw in [
                lambda rng, x: rng.standard_normal((len(x), 1, 1)),
                lambda rng, x: rng.standard_normal((len(x), *[1] * (x.ndim - 1))),
                lambda rng, x: rng.standard_normal(x.shape[:2])[..., None],
            ]
        ),
        (
            lambda x, amount, rng: np.clip(rng.normal(x, np.sqrt(amount)), 0, 1),
            "not the variance",
        ),
        (lambda x, amount, rng: noisy()(x, amount**2, rng), "not the variance"),
        (noisy(draw=lambda rng, x: x * rng.standard_normal(x.shape)), "how bright"),
        (noisy(draw=lambda rng, x: np.random.standard_normal(x.shape)), "The same state"),
        (
            noisy(draw=lambda rng, x: np.random.default_rng(0).standard_normal(x.shape)),
            "seed of its own",
        ),
        (lambda x, amount, rng: noisy()(x, 0.1, rng), "as strong with"),
        (lambda x, amount, rng: noisy()(x, 1, rng), "as strong with"),
        (lambda x, amount, rng: noisy()(amount * x, 1, rng), "as strong with"),
        (noisy(draw=lambda rng, x: 1.5 * rng.standard_normal(x.shape)), "times standard normal"),
        (lambda x, amount, rng: np.clip(x, 0, 1), "without noise"),
        (noisy(end=lambda y: np.clip(abs(y), 0, 1)), "after the noise"),
        (noisy(end=lambda y: np.rint(y).astype(int)), "whole numbers"),
        (noisy(end=lambda y: np.clip(y, 0, 1).reshape(len(y), -1)), "has the shape"),
        (in_place, "in place"),
    ],
    check.discriminator_loss: [
        (d_loss(lambda s: (0, 1)), "targets have changed places"),
        (d_loss(lambda s: (0, 1 - s)), "targets have changed places"),
        (d_loss(lambda s: (-s, 1)), "targets have changed places"),
        (d_loss(lambda s: (1, 0)), "`smooth` has no effect"),
        (d_loss(lambda s: (1 - s, s)), "made images are smoothed, too"),
        (d_loss(lambda s: (1, s)), "went to the made images"),
        (d_loss(lambda s: (s, 0)), "not `smooth`"),
        (label_smoothing, "half of the way"),
        *(
            (smoothed(term), "The term is + `smooth` * l, of the real logits")
            for term in [
                lambda x, s: ops.softplus(-x) - s * x,
                lambda x, s: ops.softplus(-x) + s,
                lambda x, s: ops.softplus(-x) * (1 - s),
                lambda x, s: ops.softplus(-x) + s * ops.softplus(x),
                lambda x, s: ops.softplus(-x) + 2 * s * x,
                lambda x, s: ops.softplus(-x + s * x),
                lambda x, s: ops.softplus(-x + s),
            ]
        ),
        (d_loss(link=ops.sigmoid), "sigmoid is applied twice"),
        (lambda *case: by_keras(*case, loss=probabilities), "as if they were probabilities"),
        (d_loss(end=lambda r, m: (ops.mean(r) + ops.mean(m)) / 2), "half of the loss"),
        (d_loss(end=lambda r, m: ops.mean(ops.concatenate([r, m]))), "one mean over"),
        (d_loss(end=lambda r, m: ops.sum(r) + ops.sum(m)), "add up the examples"),
        (d_loss(end=lambda r, m: -ops.mean(r) - ops.mean(m)), "The sign is wrong"),
        (d_loss(end=lambda r, m: ops.mean(r) - ops.mean(m)), "sign of the made images' part"),
        (d_loss(lambda s: (1, 0), lambda r, m: ops.sum(r) + ops.sum(m)), "add up the examples"),
        (d_loss(end=lambda r, m: r), "A loss is one number"),
        (d_loss(end=lambda r, m: ops.mean(r + m)), "each part has its own mean"),
        (lambda r, m, s=0.0: ops.softplus(-r) + ops.softplus(m), "each part has its own mean"),
        (
            lambda r, m, s=0.0: ops.softplus(-r) + ops.mean(ops.softplus(m)),
            "Each part has its own mean",
        ),
        (lambda r, m, s=0.0: ops.mean(softplus(-r)), "`keras.ops` has"),  # noqa: F821
        (d_loss(end=lambda r, m: ops.mean(r) + 2 * ops.mean(m)), "cross-entropy is"),
        (lambda r, m, s=0.0: (1 - s) * by_keras(r, r) + by_keras(r, m), "cross-entropy is"),
        (by_logs, "100 or -100"),
        (lambda *case: by_logs(*case, epsilon=1e-7), "100 or -100"),
        (by_numpy, "can't follow"),
        (detached, "can't follow"),
        (half_detached, "can't follow"),
        (lambda real, made: by_keras(real, made), "two or with three"),
    ],
    check.generator_loss: [
        (lambda m: -ops.mean(ops.softplus(m)), "saturates"),
        (lambda m: ops.mean(ops.softplus(m)), "the *discriminator* wants"),
        (lambda m: -ops.mean(ops.softplus(-m)), "sign is wrong"),
        (lambda m: ops.sum(ops.softplus(-m)), "add up the examples"),
        (lambda m: ops.mean(ops.softplus(-ops.sigmoid(m))), "applied twice"),
        (lambda m: probabilities(ops.ones_like(m), m), "as if they were"),
        (lambda m: -ops.mean(m), "logits alone"),
        (lambda m: ops.softplus(-ops.mean(m)), "The mean comes last"),
        (lambda m: -ops.mean(ops.log(ops.sigmoid(m))), "100 or -100"),
        (lambda m: ops.softplus(-m), "one number"),
        (lambda m: 3 * ops.mean(ops.softplus(-m)), "-log D"),
        (lambda m: np.mean(np.logaddexp(0, -np.array(m))), "can't follow"),
        (lambda m: ops.convert_to_tensor(float(ops.mean(ops.softplus(-m)))), "can't follow"),
    ],
    check.discriminator_step: [
        (d_step(free=None), "frozen while its player learns"),
        (d_step(free=False), "frozen while its player learns"),
        (d_step(make=lambda game, noise: noise), "the noise itself"),
        (d_step(train=lambda g, r, m, z: g.critic.train_on_batch([m, r])), "changed places"),
        (d_step(train=lambda g, r, m, z: g.critic.train_on_batch([r, r])), "second batch is not"),
        (d_step(train=lambda g, r, m, z: g.critic.train_on_batch([m, m])), "not `real`"),
        (d_step(train=lambda g, r, m, z: g.critic.train_on_batch([r + 1, m])), "not `real`"),
        (
            d_step(train=lambda g, r, m, z: g.critic.train_on_batch(np.concatenate([r, m]))),
            "both in one array",
        ),
        (d_step(train=lambda g, r, m, z: g.critic.train_on_batch(r)), "list of two"),
        (d_step(train=lambda g, r, m, z: g.critic.train_on_batch(r, m)), "brackets are missing"),
        (d_step(train=lambda g, r, m, z: g.critic.train_on_batch(x=r, y=m)), "brackets are"),
        (d_step(end=lambda loss: loss / 2), "half of the loss"),
        (
            d_step(make=lambda g, z: g.generator.predict_on_batch(np.random.normal(size=z.shape))),
            "makes from this `noise`",
        ),
        (d_step(train=lambda g, r, m, z: g.forger.train_on_batch(z)), "train `game.forger`"),
        (d_step(train=both), "train `game.forger`"),
        (d_step(train=moved), "generator and discriminator. In"),
        (d_step(train=lambda g, r, m, z: g.critic.predict([r, m])), "have moved: none"),
        (d_step(train=lambda g, r, m, z: g.discriminator.train_on_batch(r)), "can be trained"),
        (d_step(train=lambda g, r, m, z: g.critic.train_on_batch([r, m], z)), "no targets"),
        (d_step(train=lambda g, r, m, z: g.critics.train_on_batch([r, m])), "A game has"),
        (d_step(end=lambda loss: None), "returned `None`"),
        (d_step(end=lambda loss: 2 * loss), "expected"),
    ],
    check.generator_step: [
        (g_step(free=None), "learns to be fooled"),
        (g_step(free=True), "learns to be fooled"),
        (g_step(train=lambda g, z: g.forger.train_on_batch(g.generator(z))), "gets images"),
        (g_step(train=lambda g, z: g.forger.train_on_batch(2 * z)), "not the `noise`"),
        (
            g_step(train=lambda g, z: g.critic.train_on_batch([g.generator(z)] * 2)),
            "train `game.critic`",
        ),
        (g_step(train=twice), "trained 2 times"),
        (g_step(free=None, train=forger_frozen), "The generator is frozen"),
        (g_step(train=generator_frozen), "The generator is frozen"),
        (g_step(train=lambda g, z: 0.7), "have moved: none"),
        (g_step(end=lambda loss: None), "returned `None`"),
        (g_step(end=lambda loss: loss / 2), "half of the loss"),
        (g_step(end=lambda loss: loss + 1), "expected"),
    ],
    check.diversity: [
        (diversity(first=lambda d: np.bincount(d, minlength=10)), "These are counts"),
        (diversity(first=lambda d: shares(d)[shares(d) > 0]), "never occur are missing"),
        (diversity(first=lambda d: np.bincount(d) / len(d)), "never occur are missing"),
        (diversity(first=lambda d: np.unique(d, return_counts=True)[1]), "never occur are missing"),
        (diversity(first=lambda d: np.histogram(d, bins=10)[0] / len(d)), "bins=range(11)"),
        (diversity(first=lambda d: shares(d)[::-1]), "How often is 0 among these 6 digits"),
        (diversity(first=lambda d: shares(d) * len(d) / 2000), "add up to 0.003, not to 1"),
        (diversity(first=lambda d: shares(d)[1:]), "add up to 0.8333, not to 1"),
        (diversity(lambda p: -np.sum(p * np.log(p)) / np.log(10)), "0 log 0"),
        (diversity(entropy), "the entropy itself"),
        (diversity(lambda p: entropy(p, base=2)), "in bits"),
        (diversity(lambda p: entropy(p, base=2) / np.log(10)), "mix two logarithms"),
        (diversity(lambda p: entropy(p) / np.log((p > 0).sum())), "digits *present*"),
        (diversity(lambda p: -entropy(p) / np.log(10)), "sign is wrong"),
        (diversity(lambda p: np.max(p)), "of the ten digits occur"),
        (lambda digits: diversity()(digits)[::-1], "`evenness` first"),
        (lambda digits: shares(digits), "expected: `return shares, evenness`"),
    ],
    check.frechet: [
        (frechet(np.linalg.norm), "not squared"),
        (frechet(lambda d: np.sum(abs(d))), "not squared"),
        (
            lambda a, b: (a.mean() - b.mean()) ** 2 + frechet(lambda d: 0)(a, b),
            "Each feature has a mean of its own",
        ),
        (
            frechet(near=lambda a, b: np.trace(a) + np.trace(b) - 2 * np.sqrt(np.trace(a @ b))),
            "root of a trace",
        ),
        (frechet(near=lambda a, b: np.trace(a + b - 2 * np.sqrt(a @ b))), "taken of each number"),
        (
            frechet(near=lambda a, b: np.trace(a + b - 2 * np.sqrt(np.maximum(a @ b, 0)))),
            "taken of each number",
        ),
        (frechet(near=lambda a, b: np.trace(a + b - 2 * np.sqrt(a * b))), "Only the variances"),
        (
            frechet(near=lambda a, b: np.sum((np.diag(a) ** 0.5 - np.diag(b) ** 0.5) ** 2)),
            "Only the variances",
        ),
        (frechet(near=lambda a, b: np.trace(a + b - sqrtm(a @ b).real)), "factor 2"),
        (frechet(near=lambda a, b: np.trace(a + b - 2 * a @ b)), "root of the product"),
        (frechet(near=lambda a, b: a + b - 2 * sqrtm(a @ b).real), "trace is missing"),
        (frechet(lambda d: d**2), "one number for each feature"),
        (frechet(near=lambda a, b: 0.0), "Only the means"),
        (frechet(lambda d: 0.0), "Only the covariances"),
        (lambda a, b: np.sqrt(max(frechet()(a, b), 0)), "without one here"),
        (frechet(rowvar=True), "rowvar=False"),
        (frechet(near=lambda a, b: np.trace(a + b - 2 * sqrtm(a @ b))), "is complex"),
        (lambda a, b: 2 * frechet()(a, b), "means' part"),
        (lambda a, b: frechet()(a, b) * np.nan, "NaN"),
        (frechet(near=no_maximum), "root of a tiny negative number"),
        (frechet(near=no_maximum, ddof=0), "root of a tiny negative number"),
    ],
    check.nearest: [
        (nearest(d=np.subtract), "overflows"),
        (nearest(d=lambda a, b: (a - b).astype(float)), "overflows"),
        (nearest(d=lambda a, b: a.astype(int) - b.astype(int)), "fractions, which that cuts off"),
        (nearest(d=lambda a, b: a.astype(int) - b), "whole numbers"),
        (nearest(d=lambda a, b: a - b.astype(int)), "whole numbers"),
        (nearest(d=lambda a, b: a.astype("int16") - b.astype("int16")), "whole numbers"),
        (nearest(table=lambda d: (d**2).sum((2, 3))), "squared distance"),
        (nearest(table=lambda d: (d**2).mean((2, 3)) ** 0.5), "mean over the pixels"),
        (nearest(table=lambda d: abs(d).mean((2, 3))), "absolute differences"),
        (nearest(table=lambda d: (d**2).sum(2) ** 0.5), "one axis"),
        (row_by_row(lambda d: (d**2).sum(axis=1)), "both, or `reshape`"),
        (row_by_row(lambda d: np.linalg.norm(d, axis=2)), "both, or `reshape`"),
        (lambda made, real: nearest()(made / 255, real / 255), "divide by 255"),
        (nearest(axis=0), "for each *real* image"),
        (lambda made, real: nearest()(made, real)[::-1], "`distance` first"),
        (lambda made, real: nearest()(made, real)[0], "expected: `return index, distance`"),
        (lambda made, real: nearest()(made, made[:1] + real)[:2], "is the nearest"),
        (lambda made, real: (abs(made - real).sum((1, 2)),) * 2, "each with each"),
    ],
    check.slerp: [
        (lerp, "the straight line"),
        (slerp(cosine=np.dot), "without the lengths"),
        (slerp(cosine=np.dot, angle=np.arccos), "without the lengths"),
        (slerp(t=lambda n: np.linspace(0, 1, n, endpoint=False)), "should be `end`"),
        (slerp(t=lambda n: np.linspace(0, 1, n + 1)), "There are 5 rows"),
        (slerp(straight=lambda w: False), "0 / 0 is NaN"),
        (unless_equal, "0 / 0 is NaN"),
        (slerp(straight=lambda w: np.sin(w) == 0), "opposite directions"),
        (slerp(straight=lambda w: w < 1e-6), "opposite directions"),
        (slerp(angle=np.arccos), "cosine a little beyond 1"),
        (slerp(product_of_lengths, angle=np.arccos), "cosine a little beyond 1"),
        (slerp(angle=math.acos), "cosine a little beyond 1"),
        (slerp(angle=lambda c: c), "arccos of the cosine"),
        (slerp(angle=lambda c: c, straight=lambda w: False), "arccos of the cosine"),
        (slerp(end=np.transpose), "There are 5 rows"),
        (slerp(t=lambda n: np.linspace(1, 0, n)), "should be `start`"),
        (
            slerp(end=lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)),
            "lost its lengths",
        ),
        (slerp(t=lambda n: np.linspace(0, 1, n) ** 2), "The angle between"),
        (slerp(end=lambda x: x[0]), "has the shape"),
    ],
}


(
    test_right_answers_pass,
    test_wrong_answers_fail_with_their_message,
    test_blanks_are_not_attempted,
) = three_tests(RIGHT, WRONG)


def test_a_step_may_leave_the_made_images_a_tensor():
    check.discriminator_step(d_step(make=lambda game, noise: game.generator(noise)))


def test_hasty_compares_evenness():
    check.hasty("piles up", 0.97, 0.4)
    check.hasty(" Stays", np.float32(0.5), 0.6)
    check.hasty("stays", 0.9, 0.86)
    fails(check.hasty, "stays", 0.97, 0.4, match=r"from 0\.97 to 0\.40")
    fails(check.hasty, "stays", 0.97, 0.4, match="what keeps the generator")
    fails(check.hasty, "piles up", 0.98, 0.97, match="In your run it didn't fall; usually it does")
    fails(check.hasty, "spreads", 0.97, 0.4, match="answer with one of")
    fails(check.hasty, "collapse", 0.97, 0.4, match="answer with one of")
    fails(check.hasty, 1, 0.97, 0.4, match="answer with one of")
    fails(check.hasty, None, 0.97, 0.4, match="no value", kind=NotAttempted)


def test_every_check_answers_at_once():
    models = encoder(), decoder()
    for test, arguments in [
        (check.autoencoder, models),
        *((test, right[:1]) for test, right in RIGHT.items()),
        *((test, pair[:1]) for test, pairs in WRONG.items() for pair in [*pairs[::7], pairs[-1]]),
        (check.hasty, ("stays", 0.5, 0.5)),
    ]:
        at_once(test, *arguments)
