"""A causal convolutional network that forecasts at every step of a storm."""

import numpy as np

SCALE = 10.0  # nT: the size of a usual change of SYM-H in an hour


def causal_network(inputs, outputs, channels=32, kernel=4, dilations=(1, 3, 9, 27)):
    """Return a Keras model from (batch, steps, inputs) to (batch, steps, outputs).

    Each output depends on the steps up to its own and none after: causal convolutions, each with a
    dilation, inside residual blocks (Bai, Kolter and Koltun 2018). A step sees 1 + (kernel - 1) *
    sum(dilations) steps.
    """
    import keras
    from keras import layers

    start = keras.Input((None, inputs))
    x = layers.Dense(channels)(start)
    for dilation in dilations:
        y = layers.Conv1D(
            channels, kernel, padding="causal", dilation_rate=dilation, activation="gelu"
        )(x)
        y = layers.Dropout(0.1)(y)
        x = layers.Add()([x, y])
    x = layers.Dense(channels, activation="gelu")(x)
    return keras.Model(start, layers.Dense(outputs)(x), name="causal_network")


def compile_for(model, batches):
    """Compile a causal network for a training of that many batches in all: AdamW, Huber's loss."""
    import keras

    rate = keras.optimizers.schedules.CosineDecay(2e-3, batches)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=1e-2), keras.losses.Huber(1.0))


def day_chunks(inputs, sym_h, steps, length=288, warm_up=32):
    """Cut storms into chunks of a day; the target of each step is how SYM-H will have changed.

    inputs: list of (n, f), one for each storm; sym_h: list of (n,) in nT; steps: how many steps
    ahead, one for each output. Returns x (m, length, f), y (m, length, len(steps)), the changes
    divided by SCALE, and weights (m, length): 0 for the first `warm_up` steps of a chunk, which see
    little of the past, 1 for the others. All float32. The first rows of a storm, which don't fill a
    chunk, are left out. ValueError if no storm is long enough.
    """
    x, y = [], []
    for values, target in zip(inputs, sym_h, strict=True):
        values, target = np.asarray(values, np.float32), np.asarray(target, np.float32)
        end = len(target) - max(steps)
        changes = [target[step : end + step] - target[:end] for step in steps]
        changes = np.stack(changes, axis=-1) / SCALE
        for stop in range(end, length - 1, -length):
            x.append(values[stop - length : stop])
            y.append(changes[stop - length : stop])
    if not x:
        raise ValueError(
            f"No storm has {length} + {max(steps)} steps: take longer storms or a smaller length."
        )
    weights = np.ones((len(x), length), np.float32)
    weights[:, :warm_up] = 0
    return np.stack(x), np.stack(y), weights


def forecast(networks, inputs, sym_h):
    """Return the mean forecast of SYM-H of some networks in nT, (n, outputs), from each time.

    inputs: (n, f), sym_h: (n,) in nT, of one storm.
    """
    from keras import ops

    x = np.asarray(inputs, np.float32)[None]
    changes = [ops.convert_to_numpy(network(x))[0] for network in networks]
    return np.asarray(sym_h)[:, None] + SCALE * np.mean(changes, axis=0)
