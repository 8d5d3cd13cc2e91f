"""Checks of lab 11: autoencoder, noise, losses and steps of a GAN, measures of what it makes.

A wrong function is tried on every input before anything is said about it: a mistake is named only
if it explains all that came back. In each dictionary of mistakes a message leads to the way, or the
ways, in which one makes it.
"""

from functools import partial
from itertools import product

import numpy as np

from ..gan import Game
from .core import CheckFailed, Lab, call, describe, to_numpy
from .judge import agrees, as_tuples, attempt, failed, judge, numbers, parts_at, same, two_parts

lab = Lab("11 Autoencoders and GANs")
reached = lab.reached
score_card = lab.score_card


# --- autoencoder ---------------------------------------------------------------------------------


@lab.check("the autoencoder")
def autoencoder(encoder, decoder):
    import keras

    for name, model in [("encoder", encoder), ("decoder", decoder)]:
        if not isinstance(model, keras.Model):
            raise CheckFailed(f"`{name}` is {describe(model)}; expected: a Keras model.")
    if _first_axes(encoder) == (2,) or _first_axes(decoder) == (28, 28, 1):
        raise CheckFailed(
            "The two have changed places: the encoder takes images, the decoder two numbers."
        )
    random = np.random.default_rng(0)
    images = random.random((5, 28, 28, 1), dtype=np.float32)
    for batch in (images, images[:1]):
        _judge_shape(_applied("encoder", encoder, batch), (len(batch), 2), _CODE_SHAPES)
    # No image, but numbers of either sign, so that an output without activation takes both, too.
    wild = random.normal(0, 3, (300, 28, 28, 1)) * random.choice([-1, 1], (300, 1, 1, 1))
    wild = wild + random.normal(0, 3, (300, 1, 1, 1))
    _judge_plane(_applied("encoder", encoder, wild.astype("float32")))
    _judge_bound(encoder, wild[:10].astype("float32"))
    _judge_depth("encoder", encoder, "the two numbers straight from the pixels")
    _judge_bend(encoder, 1000 * wild[:10].astype("float32"))
    plane = np.array([[0, 0], [0.6, -1], [-2, 1.5], [50, 50], [-50, 50], [50, -50], [-50, -50]])
    for batch in (plane, plane[:1]):
        result = _applied("decoder", decoder, batch.astype("float32"))
        _judge_shape(result, (len(batch), 28, 28, 1), _IMAGE_SHAPES)
    _judge_images(_applied("decoder", decoder, plane.astype("float32")))
    _judge_depth("decoder", decoder, "the pixels straight from the two numbers")
    return (
        "The encoder makes two numbers of an image, of either sign, and the decoder makes of two "
        "numbers an image with values from 0 to 1."
    )


def _first_axes(model):
    """Return the shape that a model takes, without the batch, or None before it is built."""
    shape = getattr(model, "input_shape", None)
    return tuple(shape[1:]) if isinstance(shape, tuple) else None


def _applied(name, model, batch):
    def apply(batch):
        return model(batch, training=False)

    apply.__name__ = name
    return call(apply, batch)


_CODE_SHAPES = {
    4: "This is still a stack of maps: `Flatten` it, and end with `Dense(2)`.",
    2: "The bottleneck is two numbers for each image: end with `Dense(2)`.",
}
_IMAGE_SHAPES = {
    2: "The image is flat. A `Reshape((28, 28, 1))` at the end makes a picture of it.",
    3: "The axis of channels is missing: `Reshape((28, 28, 1))`.",
    4: "Count the pixels: 7 doubled twice is 28, and the last layer has one channel.",
}


def _judge_shape(result, expected, hints):
    shape = result.array().shape
    if shape != expected:
        text = f"{result.what} has the shape {shape}; expected: {expected}."
        raise CheckFailed(f"{text} {hints.get(len(shape), '')}".strip())


def _judge_plane(result):
    array = result.array()
    if same(array.sum(axis=1), np.ones(len(array))) and array.min() >= 0:
        raise CheckFailed(
            "The two numbers of the encoder always add up to 1, as after a softmax: all images lie "
            "on one line of the plane. Let the last layer have no activation."
        )
    if np.any((array.min(axis=0) == 0) & (array.max(axis=0) >= 0)):
        raise CheckFailed(
            "The encoder never gives a negative number, as after a ReLU: only a quarter of the "
            "plane is left, and where a number is 0 it learns nothing. Let the last layer have no "
            "activation."
        )


def _judge_bound(encoder, wild):
    """Fail where the numbers stay small with weights so large that only an activation does that."""
    weights = encoder.get_weights()
    try:
        encoder.set_weights([1000 * each for each in weights])
        array = to_numpy(_applied("encoder", encoder, wild).value)
    finally:
        encoder.set_weights(weights)
    if np.abs(array).max() <= 1:
        low, name = (0, "a sigmoid") if array.min() >= 0 else (-1, "a tanh")
        raise CheckFailed(
            f"The two numbers of the encoder never leave {low} to 1, as after {name}. A code may "
            "be any number: let the last layer have no activation."
        )


def _judge_depth(name, model, makes):
    if sum(len(weights.shape) > 1 for weights in model.weights) < 2:
        raise CheckFailed(
            f"The {name} has no hidden layer: its one layer makes {makes}, much as PCA does. Put a "
            "layer with an activation before it."
        )


def _judge_bend(encoder, wild):
    """Fail where f(0) + f(x + y) = f(x) + f(y), for x and y so large that any activation bends."""
    x, y = wild[:5], wild[5:]
    f = [_applied("encoder", encoder, batch).array() for batch in (0 * x, x + y, x, y)]
    if same(f[0] + f[1], f[2] + f[3], 1e-4):
        raise CheckFailed(
            "The encoder is linear, so it can find no more than the plane of PCA. Its hidden "
            "layers need an activation; look at those of the decoder, too."
        )


def _judge_images(result):
    array = result.array()
    # On some processors the softmax of a single number is a little less than 1.
    if same(array.sum(axis=(1, 2, 3)), np.ones(len(array))) or same(array, np.ones_like(array)):
        raise CheckFailed(
            "The decoder ends as with a softmax: all pixels of an image add up to 1, or each is 1, "
            "whatever the code. Each pixel goes from 0 to 1 by itself: sigmoid."
        )
    low, high = float(array.min()), float(array.max())
    if low < -1e-6 or high > 1 + 1e-6:
        bounded = "tanh gives -1 to 1; " if low >= -1 - 1e-6 and high <= 1 + 1e-6 else ""
        raise CheckFailed(
            f"For latent numbers between -50 and 50 the decoder's pixels go from {low:.3g} to "
            f"{high:.3g}; those of the images from 0 to 1. Which activation of the last layer "
            f"keeps them there? ({bounded}sigmoid gives 0 to 1.)"
        )


# --- noise ---------------------------------------------------------------------------------------


@lab.check("noisy images")
def noisy(answer):
    random = np.random.default_rng(1)
    dark_and_bright = np.repeat([0.35, 0.65], 20)[random.permutation(40)]
    gray = np.broadcast_to(dark_and_bright[:, None, None], (40, 28, 28)).copy()
    extreme = random.integers(0, 2, (12, 28, 28, 1)).astype("float32")
    small, large = (_noise_of(answer, gray, amount) for amount in (0.05, 0.08))
    _judge_noise(gray, small, large)
    hard = _made_noisy(answer, extreme, 0.4)
    if hard.min() < 0 or hard.max() > 1:
        raise CheckFailed(
            f"With `amount` 0.4 the pixels go from {hard.min():.3g} to {hard.max():.3g}. Images "
            "end at 0 and at 1: `np.clip`."
        )
    share = np.mean(hard[extreme == 0] == 0)
    if abs(share - 0.5) > 0.1:
        raise CheckFailed(
            f"Of the pixels that were 0, {share:.0%} are 0 after the noise; expected: half of "
            "them, those whose noise is negative. Cut what lies outside of 0 to 1, `np.clip`."
        )
    return (
        "Each pixel gets its own normal noise from `rng`, with the standard deviation `amount`, "
        "and what leaves 0 to 1 is cut off."
    )


def _made_noisy(answer, images, amount, seed=2):
    result = call(answer, images, amount, np.random.default_rng(seed))
    array = result.array(shape=images.shape)
    if array.dtype.kind != "f":
        raise CheckFailed(
            f"{result.what} holds whole numbers; expected: fractions from 0 to 1, of a float type."
        )
    return array


def _noise_of(answer, images, amount):
    first, again, other = (_made_noisy(answer, images, amount, seed) for seed in (2, 2, 3))
    if same(first, images):
        raise CheckFailed(f"With `amount` {amount} the images come back without noise.")
    if np.isclose(first.max(), amount):
        raise CheckFailed("`amount` is the upper limit in your clip. The brightest pixel is 1.")
    if not np.array_equal(first, again):
        raise CheckFailed(
            "The same state of `rng` gives different noise. Draw from `rng` alone, as in "
            "`rng.standard_normal(...)`, and not from `np.random`."
        )
    if np.array_equal(first, other):
        raise CheckFailed(
            "The noise is the same whatever the state of `rng`: draw from `rng`, not from a "
            "generator with a seed of its own."
        )
    return first - images


def _judge_noise(images, small, large):
    """Judge the noise that was added to gray images with the amounts 0.05 and 0.08."""
    spread, amount = np.std(small), 0.05
    bright, dark = (np.std(small[images[:, 0, 0] == gray]) for gray in (0.65, 0.35))
    far = np.mean((small - small.mean()) ** 4) / spread**4  # 3 for normal numbers, 1.8 for uniform
    inside = np.mean((images + small > 0) & (images + small < 1))  # what is cut is no longer normal
    if any(np.allclose(small, small.take([0], axis), atol=1e-6) for axis in range(3)):
        whole = np.allclose(small, small[:1], atol=1e-6)
        text = "Every image gets the same noise." if whole else "Pixels share one random number."
        text += " Each pixel of each image gets a number of its own: the shape is `images.shape`."
    elif small.min() >= -1e-7 and 0.4 < np.mean(small < 1e-7) < 0.6:
        text = "You cut the noise, not the sum. The noise may be negative; the noisy image may not."
    elif small.min() >= -1e-7:
        text = "Your noise is never negative, so it brightens the images. Standard normal numbers "
        text += "lie around 0: `rng.standard_normal`."
    elif bright > 1.5 * dark or dark > 1.5 * bright:
        text = "Your noise depends on how bright a pixel is. Add it to the images; don't multiply."
    elif far < 2.2 and inside > 0.9:
        text = "Your noise is uniform: all its values are about as frequent. Draw from the normal "
        text += "distribution, `rng.standard_normal`."
    elif 0.95 < np.std(large) / spread < 1.05:
        text = "The noise is as strong with `amount` 0.08 as with 0.05."
    elif abs(spread - amount**0.5) < 0.2 * amount**0.5 or abs(spread - amount**2) < 0.2 * amount**2:
        text = "`amount` is the standard deviation, not the variance: it multiplies the standard "
        text += "normal numbers as it is."
    elif abs(np.mean(small)) > 0.1 * amount or not 0.9 < spread / amount < 1.1:
        text = "The noise is `amount` times standard normal numbers."
    else:
        return
    raise CheckFailed(
        f"{text}\n\nWith `amount` 0.05 the noise on gray images has the mean {np.mean(small):.3g} "
        f"and the standard deviation {spread:.3g}; expected: 0 and 0.05."
    )


# --- the two losses ------------------------------------------------------------------------------


def _softplus(x):
    return np.logaddexp(0, x)


def _sigmoid(x):
    return 0.5 + 0.5 * np.tanh(np.asarray(x, float) / 2)


def _logits(n, scale=2.0):
    return np.random.default_rng(n).normal(0.3, scale, (n, 1)).astype("float32")


@lab.check("the discriminator's loss")
def discriminator_loss(answer):
    example = np.array([[2.0], [-1.0], [0.5]], "float32"), np.array([[-3.0], [1.0]], "float32")
    cases = [example, (_logits(4), _logits(7)), (*example, 0.1), (_logits(6), _logits(6), 0.25)]
    cases += [(_logits(1), _logits(2), 0.2), (_logits(5), _logits(5), 0.0)]
    extreme = np.array([[100.0], [-100.0]], "float32")
    far = [(extreme, -extreme[:1]), (extreme[1:], extreme[:1]), (extreme, extreme, 0.1)]
    _judge_loss(answer, cases, far, _loss, _d_mistakes(), _explain_d_loss)
    _judge_gradient(answer, "critic")
    return (
        "It is the cross-entropy with the targets 1 - `smooth` and 0, finite at logits of 100 and "
        "-100, and a discriminator learns by it."
    )


@lab.check("the generator's loss")
def generator_loss(answer):
    cases = [(np.array([[2.0], [-1.0], [0.5]], "float32"),), *((_logits(n),) for n in (4, 7, 1))]
    far = [(np.array([[-100.0], [100]], "float32"),), (np.array([[-100.0]], "float32"),)]
    _judge_loss(answer, cases, far, _fooled, as_tuples(_G_MISTAKES), _explain_g_loss)
    _judge_gradient(answer, "forger")
    return (
        "It is the cross-entropy with the target 1, finite at logits of 100 and -100, and a "
        "generator learns by it."
    )


def _judge_loss(answer, cases, far, right, mistakes, explain):
    """Judge a loss at moderate logits, then at logits where a careless formula overflows."""
    results = [attempt(answer, case) for case in cases]
    rights = [np.array(right(*case)) for case in cases]
    judge(cases, results, rights, mistakes, explain, _LOSS_ERRORS)
    extreme = [attempt(answer, case) for case in far]
    for result in extreme:
        if not failed(result) and not np.all(np.isfinite(numbers(result.value))):
            raise CheckFailed(f"{result.what} is not finite. {_OVERFLOW}")
    judge(far, extreme, [np.array(right(*case)) for case in far], (), explain, (), _OVERFLOW)


_OVERFLOW = (
    "At logits like 100 or -100 the sigmoid is rounded to 0 or 1, and the logarithm of it is "
    "infinite or cut off. Compute the cross-entropy from the logits in one piece: "
    "`keras.ops.softplus` does, or Keras's loss with `from_logits=True`."
)
_LOSS_ERRORS = [
    (
        "broadcast|[Ii]ncompatible|must match|same shape|size of tensor",
        "`real` and `made` may differ in number: each part has its own mean.",
    ),
    (
        "no attribute|not defined",
        "`keras.ops` has the functions of arrays, as in `ops.mean` and `ops.softplus`.",
    ),
    (
        "positional argument",
        "`discriminator_loss` is called with two or with three arguments: `smooth=0.0`.",
    ),
]


def _loss(real, made, smooth=0.0, targets=(1, -1, 0, 0), link=None, join=None):
    """Return the discriminator's loss, right or with a fault.

    `targets` (a, b, c, d) are a + b smooth for real and c + d smooth for made ones, `link` says
    what is used for logits, `join` makes one number of all cross-entropies.
    """
    a, b, c, d = targets
    terms = []
    for x, target in ((real, a + b * smooth), (made, c + d * smooth)):
        if link == "clip":  # as Keras does without `from_logits`, in the type of the logits
            p = np.clip(x, 1e-7, 1 - 1e-7)
            terms.append(-target * np.log(p) - (1 - target) * np.log(1 - p))
        elif link == "log":
            terms.append(-target * np.log(x) - (1 - target) * np.log(1 - x))
        else:
            x = _sigmoid(x) if link else np.asarray(x, float)
            terms.append(_softplus(x) - target * x)
    return join(*terms) if join else np.mean(terms[0]) + np.mean(terms[1])


_TWICE = (
    "The sigmoid is applied twice: these are probabilities in a function that expects logits. Give "
    "it the logits as they are."
)
_RAW = (
    "The logits are used as if they were probabilities. They go from minus to plus infinity: say "
    "`from_logits=True`, or use softplus."
)
_SUM = "You add up the examples. Take the mean, or the loss grows with the batch."
_SIGN = "The sign is wrong: a loss is small where its player does well."
_LINKS = {"": None, _TWICE: "sigmoid", _RAW: ["clip", "log"]}
_TARGETS = {
    "": (1, -1, 0, 0),
    "The targets have changed places: real images should get 1 and made ones 0.": [
        (0, 0, 1, -1),
        (0, 1, 1, 0),
        (0, 1, 1, -1),
        (0, 0, 1, 0),
        (0, -1, 1, 0),
    ],
    "`smooth` has no effect: the target of the real images is 1 - `smooth`.": (1, 0, 0, 0),
    "The made images are smoothed, too. Only the target of the real ones moves: that of the made "
    "ones stays 0, or the discriminator would praise bad images (Salimans et al. 2016).": [
        (1, -1, 0, 1),
        (1, -1, 0, -1),
    ],
    "The smoothing went to the made images. It is the target of the *real* ones that becomes 1 - "
    "`smooth`.": [(1, 0, 0, 1), (1, 0, 0, -1), (1, 0, 1, -1)],
    "The target of the real images is 1 - `smooth`, not `smooth`.": (0, 1, 0, 0),
    "Keras's `label_smoothing` means something else: it moves the target half of the way, to 1 - "
    "`smooth` / 2. Give the target 1 - `smooth` yourself.": [
        (1, -0.5, 0, 0),
        (1, -0.5, 0, 0.5),
    ],
}
_JOINS = {
    "": None,
    "This is half of the loss. The mean over the real images and the mean over the made ones are "
    "added; don't halve the sum.": lambda r, m: (np.mean(r) + np.mean(m)) / 2,
    "You take one mean over real and made images together. Take one of each, and add them.": (
        lambda r, m: np.mean(np.concatenate([r, m]))
    ),
    _SUM: lambda r, m: np.sum(r) + np.sum(m),
    _SIGN: lambda r, m: -np.mean(r) - np.mean(m),
    "The sign of the made images' part is wrong: both parts of the loss are positive.": (
        lambda r, m: np.mean(r) - np.mean(m)
    ),
}


def _d_mistakes():
    """Yield every combination of faults as a tuple for `judge`, those of the fewest first."""
    combinations = list(product(*(as_tuples(table) for table in (_LINKS, _TARGETS, _JOINS))))
    combinations.sort(key=lambda parts: sum(bool(message) for message, *_ in parts))
    for parts in combinations:
        message = "\n\n".join(message for message, *_ in parts if message)
        if message:
            choices = product(*(ways for _, *ways in parts))
            yield message, *(partial(_loss, link=k, targets=t, join=j) for k, t, j in choices)


def _explain_d_loss(case, array, right):
    if array.shape != ():
        return f"A loss is one number, not the shape {array.shape}. Each part has its own mean."
    real, made, smooth = (*case, 0.0)[:3]
    if smooth:  # the first cases have none, and they are right
        return "Without `smooth` it is right. The term is + `smooth` * l, of the real logits l."
    parts = [_loss(real, made, join=lambda r, m, k=k: np.mean((r, m)[k])) for k in (0, 1)]
    return (
        f"With the target 1 the real images' cross-entropy is {parts[0]:.5g} on average; with the "
        f"target 0 that of the made ones is {parts[1]:.5g}."
    )


def _fooled(made):
    return np.mean(_softplus(-np.asarray(made, float)))


_G_MISTAKES = {
    "This is the mean of log(1 - D), the loss that saturates: it has the same goal, but where the "
    "discriminator is sure that an image is made, it has almost no gradient. Use -log D.": (
        lambda m: -np.mean(_softplus(m))
    ),
    "This is what the *discriminator* wants: it is small where made images are recognized. The "
    "generator's target for them is 1.": lambda m: np.mean(_softplus(m)),
    _SIGN: [lambda m: -np.mean(_softplus(-m)), np.mean],
    _SUM: lambda m: np.sum(_softplus(-m)),
    "The mean comes last: each logit has its own cross-entropy.": lambda m: _softplus(-np.mean(m)),
    _TWICE: lambda m: np.mean(_softplus(-_sigmoid(m))),
    _RAW: [
        lambda m: np.mean(-np.log(np.clip(m, 1e-7, 1 - 1e-7).astype(float))),
        lambda m: np.mean(-np.log(m)),
    ],
    "This is the mean of the logits alone. What is the cross-entropy to the target 1?": (
        lambda m: -np.mean(m)
    ),
}


def _explain_g_loss(case, array, right):
    if array.shape != ():
        return f"A loss is one number; this has the shape {array.shape}. Take the mean."
    return "For each image it is -log D, with D the sigmoid of its logit."


_NO_GRADIENT = (
    "The numbers are right, but Keras can't follow how they come about, so no network can learn by "
    "them. Compute with `keras.ops` from beginning to end: no NumPy, no `float()`."
)


def _judge_gradient(answer, name):
    """Fail unless the player `name` moves by the answer as it does by the loss of the game."""
    random, (generator, discriminator) = np.random.default_rng(4), _networks()
    learner = discriminator if name == "critic" else generator
    discriminator.trainable = learner is discriminator
    batch = [random.normal(size=(6, 2)) for _ in range(2)]
    batch = batch if name == "critic" else random.normal(size=(6, 3))
    before = learner.get_weights()

    def learn(*losses):
        learner.set_weights(before)
        getattr(_Watched(generator, discriminator, *losses), name).train_on_batch(batch)
        return learner.get_weights()

    try:
        after = call(learn, answer, answer).value
    except CheckFailed as failure:
        raise CheckFailed(f"{_NO_GRADIENT}\n\n{failure}") from None
    if not all(same(a, b) for a, b in zip(after, learn(), strict=True)):
        raise CheckFailed(_NO_GRADIENT)


# --- one step of each player ---------------------------------------------------------------------


def _networks():
    """Return a generator from three numbers to two and a discriminator, tiny and untrained."""
    import keras
    from keras import layers

    generator = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    discriminator = keras.Sequential(
        [keras.Input((2,)), layers.Dense(4, activation="tanh"), layers.Dense(1)]
    )
    generator.run_eagerly = True  # to trace a graph would take longer than all that is done here
    return generator, discriminator


class _Watched(Game):
    """A game whose `steps` list the name of each player that was trained, and its input."""

    def __init__(self, *arguments):
        import keras

        super().__init__(*arguments)
        self.steps = []
        for name, player in (("critic", self.critic), ("forger", self.forger)):
            player.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
            player.train_on_batch = partial(self._train, name, player.train_on_batch)

    def _train(self, name, train, *arguments, **named):
        given = _arrays((*arguments, *named.values()))
        apart = len(given) > 1 and not isinstance(given[0], list)
        self.steps.append((name, tuple(given) if apart else (*given, None)[0]))
        return train(*arguments, **named)

    def __deepcopy__(self, memo):
        return self

    def __repr__(self):
        return "game"


def _arrays(x):
    """Return x, or each part of a list, as an array where that is possible."""
    if isinstance(x, list | tuple):
        return [_arrays(part) for part in x]
    array = to_numpy(x)
    return x if array is None else array


@lab.check("the discriminator's step")
def discriminator_step(answer):
    random, game = np.random.default_rng(5), _Watched(*_networks())
    for n, free in [(5, False), (4, True)]:
        real = random.normal(1, 1, (n, 2)).astype("float32")
        noise = random.normal(size=(n, 3)).astype("float32")
        made = to_numpy(game.generator(noise))
        loss = _loss(*(to_numpy(game.discriminator(x)) for x in (real, made)))
        game.discriminator.trainable = free
        fault = partial(_fault_of_critic, real, made, noise)
        _judge_step(answer, game, (real, noise), "critic", fault, loss)
    return (
        "One step by `real` and by images made from `noise` moves the discriminator, also where it "
        "was frozen before, and not the generator; the loss of the batch comes back."
    )


@lab.check("the generator's step")
def generator_step(answer):
    random, game = np.random.default_rng(6), _Watched(*_networks())
    for n, free in [(5, True), (4, False)]:
        noise = random.normal(size=(n, 3)).astype("float32")
        made = to_numpy(game.generator(noise))
        loss = _fooled(to_numpy(game.discriminator(made)))
        game.discriminator.trainable = free
        fault = partial(_fault_of_forger, made, noise)
        _judge_step(answer, game, (noise,), "forger", fault, loss)
    return (
        "One step by `noise` moves the generator, and not the discriminator, also where that was "
        "free to learn before; the loss of the batch comes back."
    )


_LEARNER = {"critic": "discriminator", "forger": "generator"}
_STEP_ERRORS = {
    "compile": "Only `game.critic` and `game.forger` can be trained: `train_on_batch` of one.",
    "positional argument": "A player takes its input alone; its loss needs no targets.",
    "no attribute": "A game has `generator`, `discriminator`, `critic` and `forger`.",
}


def _judge_step(answer, game, case, name, fault, loss):
    """Judge a step of the player `name`; `fault` tells what its input is not."""
    networks = game.generator, game.discriminator
    before = [network.get_weights() for network in networks]
    game.steps.clear()
    result = attempt(answer, (game, *case))
    moved = [
        any(not np.array_equal(a, b) for a, b in zip(old, network.get_weights(), strict=True))
        for old, network in zip(before, networks, strict=True)
    ]
    for player, learner in _LEARNER.items():
        if player != name and any(step[0] == player for step in game.steps):
            raise CheckFailed(
                f"You train `game.{player}`, by which the {learner} learns. In this step the "
                f"{_LEARNER[name]} learns, by `game.{name}`."
            )
    if len(game.steps) > 1:
        raise CheckFailed(f"`game.{name}` is trained {len(game.steps)} times. Make one step.")
    if game.steps and (text := fault(game.steps[0][1])):
        raise CheckFailed(text)
    if game.steps and name == "critic" and not moved[1] and not game.discriminator.trainable:
        raise CheckFailed(
            "The discriminator is frozen while its player learns, so nothing moves. Say which "
            "weights are free before the step: `game.discriminator.trainable`."
        )
    if game.steps and name == "forger" and not moved[0] and not game.generator.trainable:
        raise CheckFailed(
            "The generator is frozen while its player learns. (Freezing the forger freezes both "
            "networks.) Freeze the discriminator alone: `game.discriminator.trainable`."
        )
    if game.steps and name == "forger" and moved[1]:
        raise CheckFailed(
            "The discriminator is free while the forger learns, so it learns to be fooled. Freeze "
            "it before the step: `game.discriminator.trainable`."
        )
    if failed(result):
        hints = (hint for text, hint in _STEP_ERRORS.items() if text in str(result))
        raise CheckFailed("\n\n".join([str(result), *hints]))
    if moved != [name == "forger", name == "critic"]:
        which = [n for n, m in zip(("generator", "discriminator"), moved, strict=True) if m]
        raise CheckFailed(
            f"After {result.what} these have moved: {' and '.join(which) or 'none'}. In this step "
            f"the {_LEARNER[name]} learns, and it alone, by `game.{name}.train_on_batch`."
        )
    half = "This is half of the loss. Return what `train_on_batch` returns, as it is."
    result.equals(loss, tolerance=1e-4, wrong=[(loss / 2, half)])


def _equal(part, array):
    return isinstance(part, np.ndarray) and same(part, array)


def _fault_of_critic(real, made, noise, x):
    if isinstance(x, tuple) and np.shape(x[1]) == real.shape:
        return "The brackets are missing: `game.critic` takes *one* list of two batches."
    if not isinstance(x, list) or len(x) != 2:
        together = isinstance(x, np.ndarray) and len(x) == 2 * len(real)
        came = "both in one array" if together else "something else"
        return f"`game.critic` takes a list of two batches, `[real, made]`. It got {came}."
    if _equal(x[0], made) and _equal(x[1], real):
        return "Real and made images have changed places: the order is `[real, made]`."
    if any(_equal(part, noise) for part in x):
        return (
            "The critic gets the noise itself. The discriminator judges images: let "
            "`game.generator` make them from the noise first."
        )
    if not _equal(x[0], real):
        return "The first batch of the critic is not `real` as it was given."
    if not _equal(x[1], made):
        return "The critic's second batch is not what `game.generator` makes from this `noise`."
    return None


def _fault_of_forger(made, noise, x):
    x = x[0] if isinstance(x, list | tuple) and len(x) == 1 else x
    if _equal(x, made):
        return (
            "The forger gets images. It takes the noise and makes the images itself, so that the "
            "gradient reaches the generator."
        )
    return None if _equal(x, noise) else "The forger's input is not the `noise` of this call."


# --- a hasty generator ---------------------------------------------------------------------------


@lab.check("a hasty generator")
def hasty(hasty, before, after):
    words = "stays", "piles up"
    word = hasty.strip().lower() if isinstance(hasty, str) else None
    if word not in words:
        raise CheckFailed(f"`hasty` is {describe(hasty)}; answer with one of {words}.")
    right = "piles up" if float(after) - float(before) < -0.05 else "stays"
    if word == right:
        return f"The evenness says so, too: `{right}` (a fall of up to 0.05 counts as none)."
    text = f"The evenness went from {float(before):.2f} to {float(after):.2f}. "
    if right == "stays":
        raise CheckFailed(
            f"{text}In your run it didn't fall; usually it does. The check goes by your run: "
            f"`{right}`."
        )
    raise CheckFailed(
        f"{text}While the discriminator hardly changes, what does it find best, and what keeps the "
        "generator from making that all the time?"
    )


# --- how many of each digit ----------------------------------------------------------------------


@lab.check("diversity")
def diversity(answer):
    random = np.random.default_rng(7)
    cases = [
        (np.array([3, 3, 1, 7, 3, 0]),),
        (np.arange(40) % 10,),
        (np.array([5, 5, 5, 5]),),
        (random.integers(0, 10, 200),),
        (random.choice([0, 1, 4, 9], 57).astype("uint8"),),
        (np.minimum(random.integers(0, 30, 90), 9),),
        (np.array([9]),),
    ]
    names = "shares", "evenness"
    rights = [_diversity(*case) for case in cases]
    _judge_parts(answer, cases, names, rights, _DIVERSITY, _explain_diversity, _DIVERSITY_ERRORS)
    return (
        "There is a share for each of the ten digits, also for those that are absent, and the "
        "evenness is 1 where all are as frequent and 0 where there is only one."
    )


def _entropy(shares):
    shares = shares[shares > 0]
    return -np.sum(shares * np.log(shares))


def _diversity(digits):
    shares = np.bincount(digits, minlength=10) / len(digits)
    return shares, np.array(_entropy(shares) / np.log(10))


def _of_shares(function):
    return lambda digits: np.asarray(function(_diversity(digits)[0]))


_DIVERSITY = (
    {
        "You return `evenness` first. The order is `shares, evenness`.": (
            lambda digits: _diversity(digits)[1]
        ),
        "These are counts. Divide them by the number of digits.": (
            lambda digits: np.bincount(digits, minlength=10)
        ),
        "Digits that never occur are missing. There are ten shares, some of them 0.": [
            _of_shares(lambda shares: shares[shares > 0]),
            lambda digits: np.bincount(digits) / len(digits),
            lambda digits: np.unique(digits, return_counts=True)[1],
        ],
        "The bins go from the least digit that occurs to the greatest. Give `np.histogram` the "
        "edges, `bins=range(11)`, or use `np.bincount`.": (
            lambda digits: np.histogram(digits, bins=10)[0] / len(digits)
        ),
    },
    {
        "This is NaN where a digit never occurs. 0 log 0 counts as 0: leave these shares out.": [
            _of_shares(lambda p: -np.sum(p * np.log(p)) / np.log(10)),
            _of_shares(lambda p: -np.sum(p * np.log(p))),
        ],
        "This is the entropy itself. Divide by its largest value, log(10).": _of_shares(_entropy),
        "This is the entropy in bits. Divide by its largest value, that of ten equal shares.": (
            _of_shares(lambda p: _entropy(p) / np.log(2))
        ),
        "You mix two logarithms: divide by the largest entropy, with one and the same.": [
            _of_shares(lambda p: _entropy(p) / np.log(2) / np.log(10)),
            _of_shares(lambda p: _entropy(p) / np.log2(10)),
        ],
        "You divide by the logarithm of the number of digits *present*. Then two digits alone, as "
        "frequent, would count as all; there are ten: log(10).": [
            _of_shares(lambda p: _entropy(p) / np.log(np.sum(p > 0))),
            _of_shares(lambda p: _entropy(p) / np.log(max(np.sum(p > 0), 2))),
        ],
        "The sign is wrong: logarithms of shares are negative, the entropy is not.": [
            _of_shares(lambda p: -_entropy(p) / np.log(10)),
            _of_shares(lambda p: -_entropy(p)),
        ],
    },
)
_DIVERSITY_ERRORS = [
    ("log|NaN|invalid", "Shares can be 0: leave those out of the entropy."),
    ("dtype|cast|unsigned|TypeError", "`digits` is an array of whole numbers, {0.dtype} here."),
]


def _explain_diversity(name, case, array, right):
    if name == "shares":
        total = array.sum()
        start = "" if np.isclose(total, 1) else f"The shares add up to {total:.4g}, not to 1. "
        return f"{start}How often is 0 among these {len(case[0])} digits, how often 1, and so on?"
    p = _diversity(*case)[0]
    return (
        f"{np.sum(p > 0)} of the ten digits occur. The entropy of the shares is {_entropy(p):.5g} "
        f"with the natural logarithm, log(10) is {np.log(10):.5g}."
    )


# --- the Frechet distance ------------------------------------------------------------------------


@lab.check("the Frechet distance")
def frechet(answer):
    cases = [(_features(40, 3, 0), _features(50, 3, 1)), (_features(30, 2, 2), _features(30, 2, 3))]
    cases += [(_features(25, 4, 4), _features(60, 4, 5) + 3), (_features(20, 3, 6),) * 2]
    one_dead = [features * [1, 0, 1, 1] for features in (_features(40, 4, 7), _features(33, 4, 8))]
    cases += [tuple(one_dead)]
    # Fewer examples than features, as with many dead ones: the root is complex by rounding.
    cases += [(_features(3, 6, seed), _features(4, 6, seed + 1)) for seed in (9, 11, 13)]
    results = [attempt(answer, case) for case in cases]
    values = [np.array(None if failed(r) else to_numpy(r.value)) for r in results]
    if any(value.dtype.kind == "c" for value in values):
        raise CheckFailed(
            "The distance is complex. Rounding gives the root of the matrix a tiny imaginary part: "
            "keep the real one, `np.real`."
        )
    rights = [[np.array(_frechet(*case, ddof=ddof)) for case in cases] for ddof in (1, 0)]
    close = [_agree(results, right) for right in rights]
    rights = rights[int(close[1] > close[0])]
    if _agree(results[:4], rights[:4]) == 4:  # those where no eigenvalue is 0
        for result, value in zip(results, values, strict=True):
            if value.dtype.kind == "f" and np.any(np.isnan(value)):
                raise CheckFailed(
                    f"{result.what} is NaN: the root of a tiny negative number, an eigenvalue that "
                    "would be 0 but for rounding. Raise these to 0 first, `np.maximum`."
                )
    mistakes = as_tuples(_FRECHET)
    judge(cases, results, rights, mistakes, _explain_frechet, _FRECHET_ERRORS, tolerance=1e-4)
    return (
        "It is right for sets of different sizes, for correlated features and for one that never "
        "varies, it is 0 between a set and itself, and a real number."
    )


def _features(n, f, seed):
    """Return n correlated vectors of f features, whose means are not zero."""
    random = np.random.default_rng(seed)
    mixed = random.normal(size=(n, f)) @ random.normal(size=(f, f)) * 0.7
    return mixed + random.normal(size=f)


def _agree(results, rights):
    return sum(agrees(result, right, 1e-4) for result, right in zip(results, rights, strict=True))


def _root(matrix):
    # By eigenvectors: scipy's sqrtm warns on standard error where a matrix is singular.
    values, vectors = np.linalg.eig(matrix)
    roots = np.sqrt(np.maximum(values.real, 0))
    return np.real((vectors * roots) @ np.linalg.pinv(vectors))


def _frechet(
    real,
    made,
    distance=lambda d: d @ d,
    root=lambda c, k: _root(c @ k),
    total=lambda c, k, s: np.trace(c + k - 2 * s),
    ddof=1,
):
    """Return the Frechet distance of two normal distributions, right or with a fault."""
    c, k = (np.cov(x, rowvar=False, ddof=ddof) for x in (real, made))
    return distance(real.mean(axis=0) - made.mean(axis=0)) + total(c, k, root(c, k))


def _faulty(**faults):
    return lambda real, made: np.asarray(_frechet(real, made, **faults))


_FRECHET = {
    "The difference of the means is not squared: it is the sum of squares, without a root.": [
        _faulty(distance=lambda d: np.sqrt(d @ d)),
        _faulty(distance=lambda d: np.sum(np.abs(d))),
        _faulty(distance=np.sum),
    ],
    "The means are taken over all numbers. Each feature has a mean of its own: `axis=0`.": (
        _faulty(distance=lambda d: d.mean() ** 2)
    ),
    "This is the root of a trace. First comes the root of the matrix, then the trace of it.": (
        _faulty(
            root=lambda c, k: np.sqrt(np.trace(c @ k)),
            total=lambda c, k, s: np.trace(c + k) - 2 * s,
        )
    ),
    "The root is taken of each number. The root of a matrix S is the matrix R with R @ R = S: "
    "`scipy.linalg.sqrtm`.": [
        _faulty(root=lambda c, k: np.sqrt(c @ k)),
        _faulty(root=lambda c, k: np.sqrt(np.maximum(c @ k, 0))),
    ],
    "Only the variances count here, as if no two features were correlated. Multiply the whole "
    "covariance matrices with `@` and take the root of the matrix.": [
        _faulty(root=lambda c, k: np.sqrt(c * k)),
        _faulty(root=lambda c, k: np.sqrt(c * k), ddof=0),
    ],
    "The factor 2 before the root is missing.": _faulty(total=lambda c, k, s: np.trace(c + k - s)),
    "The root of the product is missing.": _faulty(root=lambda c, k: c @ k),
    "The trace is missing: this is a matrix. Add the numbers on its diagonal, `np.trace`.": (
        lambda real, made: 2 * (real.shape[1],)
    ),
    "There is one number for each feature: add up the squared differences of the means.": (
        lambda real, made: (real.shape[1],)
    ),
    "Only the means are compared.": _faulty(total=lambda c, k, s: 0),
    "Only the covariances are compared: the distance of the means is missing.": (
        _faulty(distance=lambda d: 0)
    ),
    "This is the root of it. The Frechet distance is used without one here.": (
        lambda real, made: np.sqrt(np.maximum(_frechet(real, made), 0))
    ),
}
_FRECHET_ERRORS = [
    (
        "broadcast|matmul|mismatch|[Ii]ncompatible|must match|same shape",
        "A row is one example and a column one feature: `np.cov(real, rowvar=False)` has the shape "
        "({0.shape[1]}, {0.shape[1]}), and the mean is over `axis=0`.",
    ),
    ("[Ss]ingular|definite", "A covariance matrix can be singular: `scipy.linalg.sqrtm` copes."),
]


def _explain_frechet(case, array, right):
    if array.shape != ():
        return f"The distance is one number; this has the shape {array.shape}."
    far = np.sum((case[0].mean(axis=0) - case[1].mean(axis=0)) ** 2)
    return f"The means' part is {far:.5g} here, and that of the covariances {right - far:.5g}."


# --- the nearest real image ----------------------------------------------------------------------


@lab.check("the nearest image")
def nearest(answer):
    random = np.random.default_rng(8)
    real = random.integers(0, 256, (9, 28, 28)).astype("uint8")
    near = np.clip(real[[6, 2, 2, 8]] + random.integers(-40, 41, (4, 28, 28)), 0, 255)
    floats = random.random((7, 28, 28))
    copies = floats[[5, 0]] + [[[0.0]], [[0.01]]]
    cases = [(random.random((3, 28, 28)), floats), (near.astype("uint8"), real)]
    cases += [(random.integers(0, 256, (5, 28, 28)).astype("uint8"), real), (copies, floats)]
    cases += [(random.random((1, 28, 28), dtype=np.float32), floats.astype("float32"))]
    rights = [_nearest(*case) for case in cases]
    names = "index", "distance"
    # The tolerance is for a float32 |a|^2 + |b|^2 - 2 ab, where the distance is small.
    _judge_parts(answer, cases, names, rights, _NEAREST, _explain_nearest, _NEAREST_ERRORS, 0.02)
    return (
        "For bytes and for fractions it finds the real image nearest to each made one and the "
        "Euclidean distance to it."
    )


def _euclid(made, real, kind=float, square=lambda d: d**2, join=lambda s: np.sqrt(s.sum((2, 3)))):
    """Return the distances of all pairs, (m, n); `kind` is the type in which they are computed."""
    made, real = (x if kind is None else x.astype(kind) for x in (made, real))
    return join(np.asarray(square(made[:, None] - real[None]), float))


def _nearest(made, real, distances=_euclid):
    table = distances(made, real)
    index = table.argmin(axis=1)
    return index, table[np.arange(len(made)), index]


_BYTES = (
    "The difference of bytes overflows: as `uint8`, 3 - 5 is 254. Turn the images into floats "
    "before you subtract."
)
# The faults of the distances; `argmin` may find the right image nevertheless.
_DISTANCES = {
    _BYTES: [
        partial(_euclid, kind=None),
        partial(_euclid, kind=None, square=lambda d: d.astype(float) ** 2),
    ],
    "You turn the images into whole numbers. Here they hold fractions, which that cuts off: turn "
    "them into floats.": [
        partial(_euclid, kind="int64"),
        partial(_euclid, kind="int16"),
        lambda made, real: _euclid(made.astype(int), real),
        lambda made, real: _euclid(made, real.astype(int)),
    ],
    "This is the squared distance. Take the root of the sum.": (
        partial(_euclid, join=lambda s: s.sum((2, 3)))
    ),
    "This is a mean over the pixels. The Euclidean distance is the root of the *sum* of squares.": [
        partial(_euclid, join=lambda s: s.mean((2, 3))),
        partial(_euclid, join=lambda s: np.sqrt(s.mean((2, 3)))),
    ],
    "You divide by 255. The distance is in pixel values, as the images have them.": (
        partial(_euclid, join=lambda s: np.sqrt(s.sum((2, 3))) / 255)
    ),
    "These are absolute differences. The Euclidean distance is the root of the sum of squares.": [
        partial(_euclid, square=np.abs, join=lambda s: s.mean((2, 3))),
        partial(_euclid, square=np.abs, join=lambda s: s.sum((2, 3))),
    ],
}


def _by_distances(place):
    def part(way):
        return lambda *case: _nearest(*case, distances=way)[place]

    return {message: list(map(part, ways)) for message, *ways in as_tuples(_DISTANCES)}


_NEAREST = (
    {
        "You return `distance` first. The order is `index, distance`.": lambda *c: _nearest(*c)[1],
        "There is one number for each *real* image. For each *made* one, find the nearest real "
        "one: the other axis of the table of distances.": (
            lambda made, real: (len(real),) if len(made) != len(real) else None
        ),
        "The sum goes over one axis of the image only. Add up all its pixels.": (
            lambda made, real: (len(made), 28)
        ),
        **_by_distances(0),
    },
    {
        "All distances are here. Return that to the nearest image alone.": _euclid,
        **_by_distances(1),
    },
)
_NEAREST_ERRORS = [
    (
        "broadcast|reshape|[Ii]ncompatible|must match",
        "There are {0.shape[0]} made images and {1.shape[0]} real ones: compare each with each, "
        "with a loop over the made ones or `made[:, None] - real[None]`.",
    ),
]


def _explain_nearest(name, case, array, right):
    if array.shape != right.shape:
        return f"There are {len(case[0])} made images: `{name}` has one number for each."
    if name == "index" and array.max() >= len(case[1]):
        return (
            f"There are only {len(case[1])} real images. An image has two axes of pixels: sum over "
            "both, or `reshape` each image to one row first."
        )
    place = np.flatnonzero(~np.isclose(array, right))[0]
    index, distance = (part[place] for part in _nearest(*case))
    return (
        f"To the made image {place} the real image {index} is the nearest, at the distance "
        f"{distance:.5g}: the root of the sum of the squared differences of all pixels."
    )


# --- a path on the sphere ------------------------------------------------------------------------


@lab.check("a path between two points")
def slerp(answer):
    random = np.random.default_rng(9)
    cases = [
        (np.array([1.0, 0, 0]), np.array([0.0, 2, 0]), 5),
        (random.normal(size=7), random.normal(size=7), 4),
        (random.normal(size=2), random.normal(size=2), 6),
        (3 * random.normal(size=5), random.normal(size=5), 2),
        (np.array([1.0, 0, 0, 0]), np.array([3.0, 0, 0, 0]), 3),
        (np.array([3.0, 4, 0]), np.array([3.0, 4, 0]), 4),
    ]
    opposite = [(np.array([1.0, 0, 0]), np.array([-2.0, 0, 0]), 3)]
    # One direction, once more: with these, rounding pushes many cosines beyond 1.
    multiples = [(v, k * v, 3) for v in random.normal(size=(20, 32)) for k in (1, 3)]
    for some, mistakes, hint in [
        (cases, as_tuples(_SLERP), None),
        (opposite, (), _OPPOSITE),
        (multiples, (), _BEYOND),
    ]:
        results = [attempt(answer, case) for case in some]
        rights = [_slerp(*case) for case in some]
        judge(some, results, rights, mistakes, _explain_slerp, _SLERP_ERRORS, hint)
    return (
        "The path begins at `start`, ends at `end` and follows the great circle between; where "
        "both point in one direction, or in opposite ones, it is straight."
    )


def _angle(start, end, scale=True):
    cosine = start @ end / (np.linalg.norm(start) * np.linalg.norm(end) if scale else 1)
    return np.arccos(np.clip(cosine, -1, 1))


def _slerp(start, end, steps, angle=_angle, straight=True, turn=lambda path: path):
    """Return the points of the path, right or with a fault."""
    t = np.linspace(0, 1, steps)[:, None]
    w = angle(start, end)
    if straight and abs(np.sin(w)) < 1e-6:
        return turn((1 - t) * start + t * end)
    return turn((np.sin((1 - t) * w) * start + np.sin(t * w) * end) / np.sin(w))


def _paths(**faults):
    """Return the ways of a fault, with and without the straight line where the angle is 0."""
    return [partial(_slerp, straight=straight, **faults) for straight in (True, False)]


def _unit(path):
    return path / np.linalg.norm(path, axis=-1, keepdims=True)


def _lerp(start, end, steps):
    return _slerp(start, end, steps, lambda *_: 0.0)


_PARALLEL = (
    "Where `start` and `end` point in one direction the angle is 0, and 0 / 0 is NaN. Take the "
    "straight line there."
)
_OPPOSITE = (
    "Where `start` and `end` point in opposite directions take the straight line, too. The sine of "
    "pi is 1e-16 in the computer, not 0: ask whether it is below 1e-6."
)
_BEYOND = (
    "Rounding can push the cosine a little beyond 1, where its arccos is NaN. Cut it first: "
    "`np.clip(cosine, -1, 1)`."
)
_SLERP = {
    _PARALLEL: [
        partial(_slerp, straight=False),
        lambda a, b, n: _slerp(a, b, n, straight=np.allclose(a, b)),
    ],
    "This is the straight line. Its middle is shorter than its ends; go along the great circle, "
    "with the two sines.": _lerp,
    "The angle comes from the dot product without the lengths. cos w is the dot product of `start` "
    "and `end` divided by both their lengths.": [
        *_paths(angle=partial(_angle, scale=False)),
        *_paths(angle=lambda a, b: np.arccos(a @ b)),
    ],
    "You use the cosine as the angle. The angle is the arccos of the cosine.": (
        _paths(angle=lambda a, b: _unit(a) @ _unit(b))
    ),
    "The path has lost its lengths: the first row is `start`, not a vector of length 1 in its "
    "direction. Use the lengths for the angle only.": [
        *_paths(turn=_unit),
        lambda a, b, n: _slerp(_unit(a), _unit(b), n),
        lambda a, b, n: _slerp(_unit(a), _unit(b), n, straight=False),
    ],
}
_SLERP_ERRORS = [
    (
        "broadcast|[Ii]ncompatible|must match|shapes",
        "For all steps at once `t` needs the shape (steps, 1), as in "
        "`np.linspace(...)[:, None]`; a loop over the steps does as well.",
    ),
    ("division by zero", _PARALLEL),
]


def _explain_slerp(case, array, right):
    start, end, steps = case
    if array.shape != right.shape:
        return f"There are {steps} rows of {len(start)} numbers; this has the shape {array.shape}."
    for place, name in ((0, "start"), (-1, "end")):
        if not same(array[place], right[place]):
            return f"The {'first' if place == 0 else 'last'} row should be `{name}`."
    return f"The angle between `start` and `end` is {_angle(start, end):.4f} here."


# --- comparing -----------------------------------------------------------------------------------


def _judge_parts(answer, cases, names, rights, mistakes, explain, errors, tolerance=1e-5):
    """Judge an answer of two parts, the first one first; `explain` gets the name of the part."""
    pairs = [two_parts(attempt(answer, case), names) for case in cases]
    for place, name in enumerate(names):
        judge(
            cases,
            parts_at(place, pairs),
            [np.asarray(right[place]) for right in rights],
            as_tuples(mistakes[place]),
            partial(explain, name),
            errors,
            tolerance=tolerance,
        )
