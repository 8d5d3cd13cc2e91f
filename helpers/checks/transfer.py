"""Checks of lab 05: what architectures cost, residual blocks, and transfer learning.

A block is made into a Keras model and gets random weights; its output is compared with the same
block computed step by step, and with what common mistakes would give.
"""

import functools
import re
import warnings

import numpy as np

from .core import Answer, CheckFailed, Lab, NotAttempted, call, describe, to_numpy

lab = Lab("05 Architectures and transfer learning")
reached = lab.reached
score_card = lab.score_card

TOLERANCE = 1e-3  # Keras computes in float32, on some devices with fewer digits


# --- what a convolution costs --------------------------------------------------------------------


@lab.check("what a convolution costs")
def conv_cost(answer):
    for case in [(5, 7, 3, 2, 11), (13, 9, 5, 4, 3), (6, 8, 1, 64, 16), (27, 27, 5, 96, 256)]:
        h, w, k, c, f = case
        result = call(answer, *case)
        pair = to_numpy(result.value)
        if pair is None or pair.shape != (2,) or pair.dtype.kind not in "biuf":
            raise CheckFailed(
                f"{result.what} is {describe(result.value)}; two numbers are expected, "
                "`(parameters, multiplications)`."
            )
        weights = k * k * c * f
        parameters, products = weights + f, weights * h * w
        given = f"{result.what} is ({pair[0]:g}, {pair[1]:g})"
        valid = weights * (h - k + 1) * (w - k + 1)
        shared = "All positions share the parameters: they don't depend on the size of the maps."
        if tuple(pair) == (products, parameters):
            raise CheckFailed(f"{given}: they have changed places. The parameters come first.")
        Answer(pair[0], f"{given}. The number of parameters").equals(
            parameters,
            tolerance=1e-9,
            wrong=[
                (weights, "The biases are missing among the parameters: one for each filter."),
                (weights + c, "The biases belong to the filters, not to the input channels."),
                (weights + 1, "Each filter has a bias of its own."),
                (weights + c * f, "A filter has one bias, not one for each input channel."),
                (k * c * f + f, "The window is square: it has k times k weights."),
                (k * k * f + f, "The input channels are missing: a filter has weights for each."),
                (k * k * c + 1, "That is one filter: there are several."),
                (k * k * c + f, "Each filter has weights of its own: times the filters."),
                (parameters * h * w, shared),
                (products + f, shared),
            ],
        )
        Answer(pair[1], f"{given}. The number of multiplications").equals(
            products,
            tolerance=1e-9,
            wrong=[
                (weights, "Each weight is used at every position of the map: height times width."),
                (weights + f, "That is the number of parameters again. How often is each used?"),
                (parameters * h * w, "The biases are added: they need no multiplication."),
                (products + f, "The biases are added: they need no multiplication."),
                (k * c * f * h * w, "The window is square: k times k products."),
                (c * f * h * w, "The window is missing: k times k products at each position."),
                (k * k * f * h * w, "The input channels are missing among the multiplications."),
                (k * k * c * h * w, "Count the multiplications of all filters."),
                (weights * h, "The width is missing among the multiplications."),
                (weights * w, "The height is missing among the multiplications."),
                (weights * h * h, "The map need not be square: height times width."),
                (weights * w * w, "The map need not be square: height times width."),
                (valid, 'With `padding="same"` the output is as large as the input.'),
                (2 * products, "Count the multiplications only, not the additions."),
            ],
        )
    return "Parameters and multiplications are right for every layer that was tried."


# --- AlexNet -------------------------------------------------------------------------------------

_POOL = {"pool_size": (3, 3), "strides": (2, 2), "padding": "valid"}


def _same(filters, k):
    return {"filters": filters, "kernel_size": (k, k), "strides": (1, 1), "padding": "same"}


_ALEXNET = [
    ("first convolution", (55, 55, 96), _same(96, 11) | {"strides": (4, 4), "padding": "valid"}),
    ("first pooling", (27, 27, 96), _POOL),
    ("second convolution", (27, 27, 256), _same(256, 5)),
    ("second pooling", (13, 13, 256), _POOL),
    ("third convolution", (13, 13, 384), _same(384, 3)),
    ("fourth convolution", (13, 13, 384), _same(384, 3)),
    ("fifth convolution", (13, 13, 256), _same(256, 3)),
    ("third pooling", (6, 6, 256), _POOL),
    ("first dense layer", (4096,), {"units": 4096}),
    ("second dense layer", (4096,), {"units": 4096}),
    ("last dense layer", (1000,), {"units": 1000}),
]
_PARAMETERS = 62_378_344


@lab.check("AlexNet shape by shape")
def alexnet(model):
    import keras

    if isinstance(model, list | tuple) and any(layer is Ellipsis for layer in model):
        raise NotAttempted("A line `...` still stands in the list of layers.")
    if not isinstance(model, keras.Model):
        raise CheckFailed(
            f"A Keras model is expected; this is {describe(model)}. `keras.Sequential` makes one "
            "from a list of layers."
        )
    if not model.built:
        raise CheckFailed("The model doesn't know its input: begin with `keras.Input`.")
    if tuple(model.input_shape) != (None, 227, 227, 3):
        raise CheckFailed(
            f"The input shape is {model.input_shape}; expected: (None, 227, 227, 3). The paper "
            "says 224, but only 227 fits its own layers."
        )
    _walk_alexnet(model)
    _check_activations(model)
    count = model.count_params()
    if count != _PARAMETERS:
        raise CheckFailed(f"{_why_count(model)} It has {count:,} parameters, not {_PARAMETERS:,}.")
    return f"Every convolution, pooling and dense layer has its shape; {count:,} parameters."


def _walk_alexnet(model):
    """Fail at the first convolution, pooling or dense layer that is not AlexNet's."""
    import keras

    recipe = iter(_ALEXNET)
    shape = (None, 227, 227, 3)
    for layer in _layers(model):
        before, shape = shape, tuple(layer.compute_output_shape(shape))
        kind = _kind(layer)
        if kind == "global pooling":
            raise CheckFailed(
                f"`{type(layer).__name__}` keeps one number of each map. AlexNet has a `Flatten` "
                "there, which keeps them all."
            )
        if kind is None:
            continue
        name, right, settings = next(recipe, (None, None, None))
        if name is None:
            raise CheckFailed(
                f"There is one layer too many: a {kind} with the output {_size(shape[1:])} comes "
                "after the dense layer of the 1000 classes."
            )
        if kind not in name:
            raise CheckFailed(f"A {kind} stands where the {name} is expected. Is a line missing?")
        given = {key: getattr(layer, key, None) for key in settings}
        differs = [key for key, value in settings.items() if given[key] != value]
        if shape[1:] != right:
            if kind == "dense layer" and len(before) > 2:
                why = "Maps reach it: flatten them into one row of numbers first."
            elif differs:
                listed = " and ".join(f"`{key}`, here {given[key]!r}" for key in differs)
                why = f"Look at its {listed}."
                if any(kind in other and given == its for other, _, its in _ALEXNET):
                    why = f"Is a layer missing, or one too many? If not, look at its {listed}."
            else:
                why = f"What comes in is {_size(before[1:])}: look at what stands before it."
            raise CheckFailed(
                f"The output of the {name} is {_size(shape[1:])}; expected: {_size(right)}. {why}"
            )
        # What pads the maps, the layer or another before it, is free where the shape is right.
        for key in set(differs) - {"padding"}:
            raise CheckFailed(
                f"The output of the {name} has the right shape, {_size(right)}, but its `{key}` "
                f"is {given[key]}, not that of AlexNet."
            )
        if isinstance(layer, keras.layers.AveragePooling2D):
            raise CheckFailed(f"The {name} takes the average; AlexNet takes the maximum.")
    for name, _, _ in recipe:
        raise CheckFailed(f"The {name} is missing: the model ends before it.")


def _check_activations(model):
    """Fail unless a ReLU follows every layer with weights, and a softmax the last."""
    names = iter([name for name, _, _ in _ALEXNET if "pooling" not in name])
    seen = []  # [name of the layer, names of the activations up to the next]
    for step in _layers(model, "operations"):
        if _kind(step) in ("convolution", "dense layer"):
            seen.append((next(names), set()))
        if seen:
            activation = getattr(getattr(step, "activation", None), "__name__", "")
            seen[-1][1].update([activation, type(step).__name__.lower()])
    for name, activations in seen[:-1]:
        if "relu" not in activations:
            raise CheckFailed(f"No ReLU follows the {name}.")
    if "softmax" not in seen[-1][1]:
        raise CheckFailed("The last dense layer needs a softmax: its outputs are probabilities.")


def _why_count(model):
    for layer in _layers(model):
        if getattr(layer, "groups", 1) != 1:
            return "A convolution has `groups`: here is one tower, where all channels meet."
        if getattr(layer, "use_bias", True) is False:
            return f"The layer `{layer.name}` has no bias."
        if _kind(layer) is None and layer.weights:
            return f"`{type(layer).__name__}` has parameters; AlexNet doesn't contain it."
    return "The shapes are right, but not the number of parameters."


def _kind(layer):
    import keras

    layers = keras.layers
    if isinstance(layer, layers.Conv2D):
        return "convolution"
    if isinstance(layer, layers.MaxPooling2D | layers.AveragePooling2D):
        return "pooling"
    if isinstance(layer, layers.GlobalAveragePooling2D | layers.GlobalMaxPooling2D):
        return "global pooling"
    return "dense layer" if isinstance(layer, layers.Dense) else None


def _size(shape):
    return " x ".join(map(str, shape))


# --- the branch of an Inception module -----------------------------------------------------------


@lab.check("an Inception branch")
def inception_branch(answer):
    for shape, case, images in [((9, 6, 5), (2, 7, 3), 3), ((5, 8, 3), (4, 6, 5), 1)]:
        what, model = _build(answer, shape, case)
        _check_branch_layers(what, model, shape[-1], *case)
        right = (None, *shape[:2], case[1])
        if tuple(model.output_shape) != right:
            why = 'Height and width stay as they are: look at `padding="same"`.'
            if tuple(model.output_shape[:3]) == right[:3]:
                why = "Only the map that the last convolution makes is to be returned."
            raise CheckFailed(
                f"{what} has the output shape {model.output_shape}; expected: {right}. {why}"
            )
        x = _random(images, *shape)
        narrow, wide = _randomize(_convolutions(model))
        inner, linear = narrow(x), wide(narrow(x))
        missing = "The ReLU after the {} convolution is missing."
        _output(what, model, x).equals(
            _relu(wide(_relu(inner))),
            tolerance=TOLERANCE,
            wrong=[
                (_relu(linear), missing.format("1 x 1")),
                (wide(_relu(inner)), missing.format("last")),
                (linear, "There is no ReLU: one belongs after each of the two convolutions."),
            ],
        )
    return "Shapes, parameters and outputs are right, for two sizes of the kernel."


def _check_branch_layers(what, model, inputs, reduced, filters, k):
    """Fail unless the weights are those of a 1 x 1 and then of a k x k convolution."""
    _refuse_pooling(what, model, "Two convolutions are asked for.")
    for layer in _layers(model):
        if layer.weights and _kind(layer) != "convolution":
            raise CheckFailed(
                f"{what} contains `{type(layer).__name__}`, which has parameters of its own. The "
                "exercise asks for two layers `Conv2D`."
            )
    found = _convolutions(model)
    kernels = [_kernel_shape(layer) for layer in found]
    right = [(1, 1, inputs, reduced), (k, k, reduced, filters)]
    if kernels == right:
        if not all(layer.use_bias for layer in found):
            raise CheckFailed(f"{what}: a convolution has no bias. Leave `use_bias` as it is.")
        if any(layer.strides != (1, 1) for layer in found):
            raise CheckFailed(f"{what}: a convolution has a stride. Height and width should stay.")
        return
    windows = [kernel[:2] for kernel in kernels]
    if not kernels:
        message = "There is no convolution in it."
    elif kernels == [(k, k, inputs, filters)]:
        message = (
            f"The reduction is missing: the {k} x {k} convolution sees all {inputs} channels. A "
            "1 x 1 convolution comes first."
        )
    elif len(kernels) == 2 and {kernel[2] for kernel in kernels} == {inputs}:
        message = "Both convolutions begin at `x`: the second one takes the output of the first."
    elif len(kernels) != 2:
        message = f"What is returned has passed {len(kernels)} convolution(s), not two."
    elif windows == [(k, k), (1, 1)]:
        message = "The order is wrong: the 1 x 1 convolution comes first, to make the other cheap."
    elif windows[0] != (1, 1):
        message = "The kernel of the first convolution is not 1 x 1."
    elif windows[1] != (k, k):
        message = f"The second kernel should be as large as `kernel_size` says, {k} x {k}."
    elif kernels[0][3] == filters:
        message = "The 1 x 1 convolution makes `filters` channels; it should make `reduced`."
    elif kernels[0][3] != reduced:
        message = f"The 1 x 1 convolution makes {kernels[0][3]} channels, not `reduced`."
    else:
        message = f"The second convolution makes {kernels[1][3]} channels, not `filters`."
    raise CheckFailed(
        f"{message}\n\n{what} has kernels of the shapes {kernels} (rows, columns, channels in, "
        "channels out)."
    )


# --- the residual block --------------------------------------------------------------------------


@lab.check("a residual block")
def residual_block(answer):
    for shape, case, images in [
        ((9, 7, 4), (4,), 3),
        ((6, 8, 3), (3, 1), 1),
        ((9, 7, 4), (6, 1), 2),
        ((9, 7, 4), (6, 2), 2),
        ((10, 6, 5), (5, 2), 1),
    ]:
        filters, stride = (*case, 1)[:2]
        what, model = _build(answer, shape, case, functools.partial(_explain_clash, shape, stride))
        _refuse_pooling(what, model, "A convolution's stride makes maps smaller here.")
        _check_block_shape(what, model, shape, filters, stride)
        branch, shortcut = _block_convolutions(what, model, shape, filters, stride)
        _neutralize_norms(model)
        parts = _randomize(branch + shortcut)
        x = _random(images, *shape)
        _judge_block(_output(what, model, x), x, *parts, stride=stride)
    return (
        "Shapes and outputs are right, with and without a stride; the shortcut is `x` itself where "
        "the shape stays, a 1 x 1 convolution elsewhere."
    )


def _check_block_shape(what, model, shape, filters, stride):
    right = (None, *(-(-side // stride) for side in shape[:2]), filters)
    found = tuple(model.output_shape)
    if found == right:
        return
    if found[-1] in (filters + shape[-1], 2 * filters):
        why = "Were the two concatenated? A residual block adds them, number by number."
    elif stride > 1 and found[1:3] == shape[:2]:
        why = "The stride has no effect."
    elif found[-1] != filters:
        why = "Both convolutions should have `filters` channels."
    else:
        why = 'Look at `padding="same"`, and at where the stride stands.'
    raise CheckFailed(f"{what} has the output shape {found}; expected: {right}. {why}")


def _block_convolutions(what, model, shape, filters, stride):
    """Return the convolutions of the branch and the one, if any, of the shortcut."""
    found = _convolutions(model)
    branch = [layer for layer in found if layer.kernel_size == (3, 3)]
    shortcut = [layer for layer in found if layer.kernel_size == (1, 1)]
    kernels = [_kernel_shape(layer) for layer in found]
    listed = (
        f"{what} has kernels of the shapes {kernels} (rows, columns, channels in, channels out)."
    )
    changed = stride > 1 or shape[-1] != filters
    main = [_kernel_shape(layer) for layer in branch]
    side = [_kernel_shape(layer) for layer in shortcut]
    message = None
    if changed and len(branch) == 3 and not shortcut:
        message = "The convolution of the shortcut is 1 x 1, not 3 x 3."
    elif len(branch) != 2:
        message = f"Two convolutions of 3 x 3 belong into the branch; it has {len(branch)}."
    elif side and not changed:
        message = (
            "The shape stays here, so the shortcut is `x` itself: no 1 x 1 convolution, no "
            "parameters."
        )
    elif main != [(3, 3, shape[-1], filters), (3, 3, filters, filters)]:
        message = "The two convolutions make `filters` channels each, one after the other."
    elif changed and not side:
        message = (
            "The shape changes here, but there is no 1 x 1 convolution. Which values of `x` reach "
            "the addition, and with which shape?"
        )
    elif changed and side != [(1, 1, shape[-1], filters)]:
        message = "The shortcut is one 1 x 1 convolution, from `x` itself to `filters` channels."
    if message:
        raise CheckFailed(f"{message}\n\n{listed}")
    return branch, shortcut


def _judge_block(result, x, first, second, project=None, *, stride):
    """Compare the output of a block with its parts, put together rightly and wrongly."""

    def strided(value):
        return first(value, stride)

    def short(value):
        return project(value, stride) if project else value

    inner, side = _relu(strided(x)), short(x)
    branch, linear = second(inner), second(strided(x))
    early = second(_relu(strided(_relu(x))))
    array = to_numpy(result.value)
    for accepted in (early + side, early + short(_relu(x))):  # pre-activation, He et al. 2016 b
        if np.allclose(array, accepted, atol=TOLERANCE * max(1.0, np.abs(accepted).max())):
            return
    late = "The ReLU after the addition is missing."
    between = "The ReLU between the two convolutions is missing."
    never = "so the branch can only add, never take away: "
    overwritten = "Was `x` overwritten? Keep the input under its name."
    wrong = [
        (_relu(branch), "The shortcut is missing: nothing is added to the branch."),
        (branch, "The shortcut is missing: nothing is added to the branch."),
        (_relu(branch) + side, f"The last ReLU stands before the addition, {never}it comes after."),
        (_relu(_relu(branch) + side), f"A ReLU stands before the addition, {never}leave it out."),
        (branch + side, late),
        (_relu(linear + side), between),
        (linear + side, f"{between} {late}"),
        (_relu(branch) + _relu(side), "Add first, then one ReLU of the sum."),
        (branch + _relu(side), "Add first, then one ReLU of the sum."),
        (_relu(branch + _relu(side)), "A ReLU stands in the shortcut: it has no activation."),
        (_relu(branch * side), "The two are multiplied; add them."),
        (_relu(branch - side), "The shortcut is subtracted; add it."),
        (_relu(2 * branch), f"The branch is added to itself. {overwritten}"),
        (_relu(branch + inner), f"The output of the first convolution is added. {overwritten}"),
        (
            _relu(second(_relu(first(x)), stride) + side),
            "The stride is in the second convolution; it belongs to the first.",
        ),
    ]
    result.equals(_relu(branch + side), tolerance=TOLERANCE, wrong=wrong)


def _explain_clash(shape, stride, text):
    """Say what two shapes that can't be added, named in the text of an error, tell."""
    tuples = re.findall(r"[(\[]((?:None, )?\d+, \d+, \d+)[)\]]", text)
    if len(tuples) != 2:
        return ""
    a, b = (tuple(map(int, found.removeprefix("None, ").split(", "))) for found in tuples)
    sides = {a[:2], b[:2]}
    small = tuple(-(-side // stride) for side in shape[:2])
    if len(sides) == 1:
        return (
            f"Two values of {a[2]} and {b[2]} channels can't be added. Where the number of "
            "channels changes, the shortcut needs a 1 x 1 convolution to `filters`."
        )
    if stride > 1 and tuple(-(-side // stride) for side in small) in sides:
        return "The stride is in both convolutions; it belongs to the first one alone."
    if stride > 1 and sides == {shape[:2], small}:
        return (
            "One part still has the height and width of `x`, the other has not: the stride belongs "
            "into the first convolution of the branch and into the shortcut."
        )
    if stride > 1 and sides == {small, tuple(side // stride for side in shape[:2])}:
        return (
            f"One part is {_size(a[:2])}, the other {_size(b[:2])}; with a stride of {stride}, "
            f"{_size(shape[:2])} becomes {_size(small)}, rounded up. The shortcut is a 1 x 1 "
            'convolution with that stride, without pooling; the 3 x 3 ones need `padding="same"`.'
        )
    return 'Rows and columns have got lost: the 3 x 3 convolutions need `padding="same"`.'


# --- which gradient vanishes ---------------------------------------------------------------------


@lab.check("which gradient vanishes")
def vanishing(vanishing, norms):
    """Compare a predicted name with gradient norms, {name: one for each depth}."""
    names = {" ".join(str(name).casefold().replace("-", " ").split()): name for name in norms}
    plain = vanishing.casefold().replace("-", " ").split() if isinstance(vanishing, str) else ""
    name = names.get(" ".join(plain))
    if name is None:
        listed = ", ".join(f"`{name}`" for name in norms)
        raise CheckFailed(f"This is {describe(vanishing)}; answer with one of these: {listed}.")
    left = {}
    for key, values in norms.items():
        values = np.asarray(values, dtype=float)
        ratio = values[-1] / values[0] if values[0] > 0 else np.nan
        left[key] = ratio if np.isfinite(ratio) else np.inf
    smallest = min(left.values())
    if left[name] == smallest:
        return "The measurement agrees with you."
    why = (
        "With a skip the gradient of the sum also reaches the layers below unchanged."
        if "skip" in name.casefold()
        else "Each layer multiplies the gradient by the slope of its activation: how large can it "
        "be for each of the kinds?"
    )
    kept = f"keeps only {smallest:.2g}" if smallest else "has nothing left of its gradient"
    raise CheckFailed(
        f"You predicted `{name}`. Its gradient at the largest depth is {left[name]:.2g} times that "
        f"at the smallest depth; another kind {kept}. {why}"
    )


# --- a frozen backbone ---------------------------------------------------------------------------


@lab.check("a classifier on a frozen backbone")
def frozen_classifier(answer):
    import keras

    for shape, classes in [((12, 8, 3), 5), ((6, 9, 2), 3)]:
        backbone = _backbone(shape)
        given = _hand_over(
            answer,
            _Given(backbone, f"<backbone for {_size(shape)}>"),
            classes,
            hint=functools.partial(_explain_images, shape),
        )
        model, what = given.value, given.what
        if model is backbone:
            raise CheckFailed(f"{what} is the backbone itself. Put a head on it.")
        if not isinstance(model, keras.Model):
            raise CheckFailed(
                f"{what} is {_describe_result(model)}; a Keras model is expected: "
                "`keras.Model(inputs, outputs)`."
            )
        images = _random(4, *shape) + 3 * _random(4, 1, 1, shape[-1])
        outputs = _output(what, model, images).array()
        _check_class_shape(what, outputs, classes, backbone.output_shape[-1])
        head = _check_trainable(what, model, backbone, classes)
        values = [_random(*weight.shape) / 3 for weight in head]
        for weight, value in zip(head, values, strict=True):
            weight.assign(value)
        _judge_classes(_output(what, model, images), backbone, images, *values)
        before = backbone.get_weights()
        _output(what, model, images, training=True)
        if not all(map(np.array_equal, before, backbone.get_weights())):
            raise CheckFailed(
                f"{what}: in training, the moving mean and variance of a BatchNormalization in the "
                "backbone change. Freeze its layers (`trainable = False`), not its weights alone."
            )
    return (
        "The weights of the head alone can be trained; in training mode the moving statistics of "
        "the backbone stay as they are; the outputs are probabilities."
    )


def _explain_images(shape, text):
    """Say which images the backbone takes where an error is about their shape."""
    if "incompatible" not in text:
        return ""
    return (
        f"The backbone takes images of {_size(shape)} here; `backbone.input_shape[1:]` is the "
        "shape for any."
    )


def _check_class_shape(what, outputs, classes, features):
    right = (len(outputs), classes)
    if outputs.shape == right:
        return
    if outputs.ndim == 4:
        why = "The maps of the backbone are still there: pool them (`GlobalAveragePooling2D`)."
    elif outputs.shape[-1] == 1:
        why = "One number for each image is too few: the last layer has one unit for each class."
    elif outputs.shape[-1] == features:
        why = "Those are the features; a dense layer with `classes` units comes last."
    else:
        why = "The last layer has one unit for each class."
    raise CheckFailed(
        f"{what} gives the shape {outputs.shape} for {len(outputs)} images; expected: {right}. "
        f"{why}"
    )


def _check_trainable(what, model, backbone, classes):
    """Return the kernel and the bias of the head, or fail if other weights can be trained."""

    def among(weights):
        return [weight for weight in weights if any(weight is own for own in backbone.weights)]

    if not among(model.weights):
        raise CheckFailed(
            f"{what} doesn't contain the weights of the backbone it was given: was the backbone "
            "copied or made anew? What it has learned would be lost."
        )
    trainable = model.trainable_weights
    loose = among(trainable)
    norms = [weight for layer in _norms(backbone) for weight in layer.weights]
    if not trainable:
        raise CheckFailed(
            f"{what}: nothing can be trained, the head neither. Freeze the backbone, not the model."
        )
    if loose:
        total = sum(layer.count_params() > 0 for layer in backbone.layers) * 2
        if len(loose) == total:
            why = "The backbone is not frozen."
        elif all(any(weight is own for own in norms) for weight in loose):
            why = "The BatchNormalization layers of the backbone are not frozen."
        else:
            why = "Only some layers of the backbone are frozen."
        raise CheckFailed(
            f"{why} {what} has {len(loose)} arrays of weights in the backbone that can still be "
            "trained; set `trainable = False` for all of it."
        )
    maps, channels = backbone.output_shape[1:3], backbone.output_shape[-1]
    shapes = [tuple(weight.shape) for weight in trainable]
    if shapes == [(channels, classes), (classes,)]:
        return trainable
    if shapes[0][0] == channels * maps[0] * maps[1]:
        why = "Flatten gives the head many weights: use `GlobalAveragePooling2D`."
    elif shapes == [(channels, classes)]:
        why = "The bias of the head is missing."
    elif len(shapes) > 2:
        why = "The head has more than one layer with weights; one dense layer is asked for."
    else:
        why = "The head is one dense layer on the pooled features."
    raise CheckFailed(f"{why} {what} trains weights of the shapes {shapes}.")


def _judge_classes(result, backbone, images, kernel, bias):

    def scored(images, pool=np.mean):
        return pool(to_numpy(backbone(images, training=False)), (1, 2)) @ kernel + bias

    scores = scored(images)
    rescaled = "The images are rescaled before the backbone; give them to it as they are."
    missing = "There is no softmax: the last layer should give probabilities that add up to 1."
    result.equals(
        _softmax(scores),
        tolerance=TOLERANCE,
        wrong=[
            (
                1 / (1 + np.exp(-scores)),
                "Sigmoids don't add up to 1: an image has one class here, so use a softmax.",
            ),
            (scores, missing),
            (_relu(scores), missing),
            (_softmax(scores, 0), "The softmax runs over the images, not over the classes."),
            (
                _softmax(scored(images, np.max)),
                "The features are the maxima of the maps; take their averages.",
            ),
            (
                _softmax(_relu(scores)),
                "A ReLU stands before the softmax: the scores of the classes may be negative.",
            ),
            (_softmax(scored(images / 255)), rescaled),
            (_softmax(scored(images / 127.5 - 1)), rescaled),
        ],
    )


# --- the last layers of a backbone ---------------------------------------------------------------


@lab.check("unfreezing the last layers")
def unfreeze_last(answer):
    cases = [("frozen", count) for count in (2, 5, 1, 7, 0)]
    cases += [("trainable", count) for count in (4, 0, 1)]
    backbone = _backbone((8, 6, 3))
    weights = backbone.get_weights()
    calls, found, still_frozen = [], [], []
    for state, count in cases:
        for layer in (backbone, *backbone.layers):  # Keras passes on only what is new
            layer.trainable = state != "frozen"
        given = _Given(backbone, f"<{state} backbone of {len(backbone.layers)} layers>")
        calls.append(_hand_over(answer, given, count, may_return_nothing=True).what)
        found.append(_trained(backbone))
        still_frozen.append(not backbone.trainable)
    if not all(map(np.array_equal, weights, backbone.get_weights())):
        raise CheckFailed(f"{calls[-1]} changes the weights; change `trainable` only.")
    places = range(len(backbone.layers))
    rights = [_places(backbone, places[len(places) - count :]) for _, count in cases]
    if found == rights:
        return (
            "The right layers can be trained, whether the backbone was frozen or trainable before, "
            "0 layers included; every BatchNormalization is frozen."
        )
    start = next(place for place, right in enumerate(rights) if found[place] != right)
    if not found[start] and still_frozen[start]:
        message = _STILL_FROZEN
    elif found[start] == _places(backbone, places, norms=True):
        message = _EVERY if cases[start][1] else _ZERO
    else:
        message = _why_unfrozen(backbone, cases, found)
        if not message and found[start] > rights[start]:
            extra = found[start] - rights[start]
            message = _BEFORE if extra & _places(backbone, places) else _NORM
    raise CheckFailed(
        f"{message}\n\nAfter {calls[start]} these layers can be trained: "
        f"{_names(backbone, found[start])}; expected: {_names(backbone, rights[start])}. The "
        f"layers are, in order: {_names(backbone, places)}.".strip()
    )


_STILL_FROZEN = (
    "The backbone itself is still frozen, so none of its layers can be trained: "
    "`backbone.trainable = True` comes first."
)
_EVERY = (
    "Every layer can be trained. `backbone.trainable = True` sets all layers: after it, freeze "
    "those before the last `count` and every BatchNormalization."
)
_ZERO = (
    "With a count of 0 no layer should be trained: `layers[-0:]` is `layers[0:]`, all of them. "
    "Think of `layers[len(layers) - count:]`."
)
_BEFORE = "All layers before the last `count` should be frozen."
_NORM = "BatchNormalization layers can be trained: freeze every one of them."
_ALL_COUNT = "`count` counts all layers, BatchNormalization and those without weights as well."


def _why_unfrozen(backbone, cases, found):
    """Return the message of the mistake that explains what could be trained in every case."""
    layers, norms = backbone.layers, _norms(backbone)
    places = range(len(layers))
    weighty = [place for place in places if layers[place].weights]
    others = [place for place in places if all(layers[place] is not norm for norm in norms)]
    both = [place for place in weighty if place in others]

    def last(kept, count):
        return kept[max(len(kept) - count, 0) :]

    def within(kept, count):  # None where it depends on how the list is cut
        return last(kept, count) if 0 < count <= len(kept) else None

    # What each mistake leaves trainable, given the state before and the count.
    for message, mistake in [
        ("", lambda state, n: last(places, n)),
        (_ZERO, lambda state, n: places[-n:]),
        ("The first layers can be trained; the last ones should.", lambda state, n: places[:n]),
        (_WRONG_WAY, lambda state, n: places[: len(places) - n]),
        (_WRONG_WAY, lambda state, n: places[:-n]),
        (_BEFORE, lambda state, n: places),
        ("Nothing can be trained.", lambda state, n: ()),
        ("That is one layer too few.", lambda state, n: last(places, max(n - 1, 0))),
        ("That is one layer too many.", lambda state, n: last(places, n + 1)),
        (_ALL_COUNT, lambda state, n: within(weighty, n)),
        (_ALL_COUNT, lambda state, n: within(others, n)),
        (_ALL_COUNT, lambda state, n: within(both, n)),
        (
            "Layers that could be trained before still can: freeze them.",
            lambda state, n: places if state == "trainable" else last(places, n),
        ),
    ]:
        for norm, advice in [(False, ""), (True, _NORM)]:
            left = [mistake(*case) for case in cases]
            if all(
                chosen is None or trained == _places(backbone, chosen, norms=norm)
                for trained, chosen in zip(found, left, strict=True)
            ):
                return f"{message} {advice}".strip()
    return ""


_WRONG_WAY = "It is the wrong way round: the last layers are frozen, the others can be trained."


def _trained(backbone):
    """Return the places of the layers of which a weight can be trained."""
    free = backbone.trainable_weights
    return {
        place
        for place, layer in enumerate(backbone.layers)
        if any(weight is own for weight in layer.weights for own in free)
    }


def _places(backbone, chosen, *, norms=False):
    """Return the places among `chosen` where a layer has weights; with `norms`, these, too."""
    skipped = () if norms else _norms(backbone)
    return {
        place
        for place in chosen
        if backbone.layers[place].weights and all(backbone.layers[place] is not n for n in skipped)
    }


def _names(backbone, places):
    layers = [backbone.layers[place] for place in sorted(places)]
    return ", ".join(layer.name for layer in layers) or "none"


# --- weights against a skewed training set -------------------------------------------------------


@lab.check("weights for the groups")
def group_weights(answer):
    random = np.random.default_rng(5)
    rare = "A rare one needs large weights."
    each = "the combinations still don't count the same."
    # None is longer than the 12 samples that a message shows in full.
    first = [(0, 0), (0, 0), (0, 1), (1, 1), (1, 1)]
    skewed = [(0, 0)] * 5 + [(0, 1)] * 2 + [(1, 0)] + [(1, 1)] * 4
    gaps = [(0, 0)] * 3 + [(0, 2)] * 2 + [(1, 0)] + [(2, 1)] * 5 + [(2, 2)]
    for pairs in (first, skewed, gaps, [(1, 0)] * 3, [(0, 1)]):
        order = random.permutation(len(pairs)) if pairs is not first else slice(None)
        labels, groups = np.array(pairs)[order].T.copy()
        result = _explained(answer, labels, groups, hint=_explain_truth)
        n, counts = len(labels), _occurrences(labels, groups)
        combinations = len(set(pairs))
        weights = n / (combinations * counts)
        by_label, by_group = _balanced(labels), _balanced(groups)
        array = to_numpy(result.value)
        listed = isinstance(result.value, list | tuple)  # which Keras doesn't take as weights
        if listed or array is None or array.dtype.kind not in "biuf":
            raise CheckFailed(
                f"{result.what} is of type `{type(result.value).__name__}`; an array with one "
                "number for each sample is expected."
            )
        every = len(set(labels)) * len(set(groups))
        if array.shape != (n,):
            perhaps = array.size in (combinations, every)
            why = "That is one for each combination of label and group." if perhaps else ""
            raise CheckFailed(
                f"{result.what} has the shape {array.shape} for {n} samples; expected: ({n},), "
                f"one weight for each sample. {why}".strip()
            )
        if np.all(np.isfinite(array)):
            _explain_proportions(result, array, weights, combinations, every)
        mean = array.mean() or np.nan  # which nothing equals
        either = 1 / (_occurrences(labels) + _occurrences(groups) - counts)
        result.equals(
            weights,
            wrong=[
                (by_group, "Only the groups count in your weights; count the labels, too."),
                (by_label, "Only the labels count in your weights; count the groups, too."),
                (counts, f"Those are the sizes of the combinations. {rare}"),
                (counts / n, f"Those are the shares of the combinations. {rare}"),
                (counts * mean / counts.mean(), f"Large combinations get large weights. {rare}"),
                (either * mean / either.mean(), "Label and group must agree: use `&`, not `|`."),
                (by_label * by_group, f"Weights of the labels times those of the groups: {each}"),
                (_balanced(labels + groups), "Combinations of the same sum are taken for one."),
                (
                    _balanced(2 * labels + groups),
                    "Two combinations are taken for one: `2 * labels + groups` is 2 for label 0 "
                    "and group 2, and for label 1 and group 0.",
                ),
                (np.sqrt(weights), f"Those are the square roots of the weights: {each}"),
                (np.ones(n), "All samples count the same, so large combinations count more."),
            ],
        )
    return (
        "Every combination that occurs has the same sum of weights, and their mean is 1; also "
        "where combinations are missing."
    )


def _explain_truth(text):
    """Say what stands behind the error that an array is neither true nor false."""
    brackets = "with each in brackets: `(labels == label) & (groups == group)`."
    why = f"`and` and `if` take one True or False, no array. Join comparisons by `&`, {brackets}"
    return why if "truth value" in text else ""


def _explain_proportions(result, array, weights, combinations, every):
    """Fail if the weights are right but for a factor."""
    mean = float(array.mean())
    if mean > 0 and abs(mean - 1) > 1e-5 and np.allclose(array / mean, weights, rtol=1e-5):
        why = "The formula divides by K, the number of combinations that occur."
        if abs(mean - combinations / every) < 1e-5:
            why = f"Count only the combinations that occur: K is {combinations} here, not {every}."
        elif abs(array.sum() - 1) < 1e-5:
            why = "Your weights add up to 1; their mean should be 1."
        text = f"The proportions are right, but the mean of the weights is {mean:.4g}, not 1."
        raise CheckFailed(f"{why} {text} ({result.what})")


def _occurrences(*columns):
    """Return for each sample how many samples have the same values as it."""
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    return np.array([rows.count(row) for row in rows], dtype=float)


def _balanced(values):
    counts = _occurrences(values)
    return len(values) / (len(np.unique(values)) * counts)


# --- what the checks share -----------------------------------------------------------------------


class _Given:
    """An argument that `call` hands on as it is: a copied tensor would have lost its history."""

    def __init__(self, value, text):
        self.value = value
        self.text = text

    def __deepcopy__(self, memo):
        return self

    def __repr__(self):
        return self.text


def _hand_over(answer, given, *arguments, hint=None, may_return_nothing=False):
    """Call the student's function on what `given` holds; `hint(error)` explains an error."""
    if not callable(answer):
        call(answer)  # says so

    def function(given, *arguments):
        value = answer(given.value, *arguments)
        return True if value is None and may_return_nothing else value

    function.__name__ = getattr(answer, "__name__", "your_function")
    return _explained(function, given, *arguments, hint=hint)


def _explained(function, *arguments, hint):
    """Call a function; where it stops with an error, put `hint(message)` before the message."""
    try:
        return call(function, *arguments)
    except NotAttempted:
        raise
    except CheckFailed as failure:
        text = str(failure)
        why = hint(text) if hint and "stopped with an error" in text else ""
        raise CheckFailed(f"{why}\n\n{text}".strip()) from None


def _build(answer, shape, arguments, hint=None):
    """Return how the student's block was called and a Keras model of what it gave."""
    import keras

    x = keras.Input(shape)
    given = _hand_over(answer, _Given(x, f"<maps {_size(shape)}>"), *arguments, hint=hint)
    if not keras.ops.is_tensor(given.value) and not isinstance(given.value, keras.KerasTensor):
        raise CheckFailed(
            f"{given.what} is {_describe_result(given.value)}; the output itself is expected. "
            "Apply each layer to the output of the one before: `x = layer(x)`."
        )
    if given.value is x:
        raise CheckFailed(f"{given.what} is its input, unchanged.")
    try:
        return given.what, keras.Model(x, given.value)
    except (ValueError, TypeError, AttributeError):
        raise CheckFailed(
            f"{given.what} doesn't depend on its input `x`. Don't make a new `keras.Input` inside."
        ) from None


def _describe_result(value):
    import keras

    if isinstance(value, keras.Model):
        return "a model"
    if isinstance(value, keras.layers.Layer):
        return "a layer"
    if isinstance(value, keras.KerasTensor):
        return "an output, not a model"
    return f"of type `{type(value).__name__}`"


def _layers(model, attribute="layers"):
    """Return the layers of a model in order, those of models inside it in their place.

    As "operations" they come with functions such as `keras.ops.relu`, where the model lists them.
    """
    import keras

    found = []
    for layer in getattr(model, attribute, None) or model.layers:
        if isinstance(layer, keras.Model):
            found += _layers(layer, attribute)
        elif not isinstance(layer, keras.layers.InputLayer):
            found.append(layer)
    return found


def _convolutions(model):
    return [layer for layer in _layers(model) if _kind(layer) == "convolution"]


def _norms(model):
    import keras

    kind = keras.layers.BatchNormalization
    return [layer for layer in _layers(model) if isinstance(layer, kind)]


def _kernel_shape(layer):
    return tuple(layer.get_weights()[0].shape)


def _refuse_pooling(what, model, instead):
    if any(_kind(layer) in ("pooling", "global pooling") for layer in _layers(model)):
        raise CheckFailed(f"{what} contains a pooling layer. {instead}")


def _random(*shape):
    return np.random.default_rng(len(shape) + sum(shape)).normal(size=shape).astype("float32")


def _randomize(layers):
    """Give convolutions random weights; return a function for each that computes the same."""
    random = np.random.default_rng(7)
    functions = []
    for layer in layers:
        weights = [random.normal(size=w.shape) for w in layer.get_weights()]
        weights[0] /= np.sqrt(weights[0][..., 0].size)
        layer.set_weights(weights)
        functions.append(functools.partial(_convolve, weights))
    return functions


def _convolve(weights, x, stride=1):
    from keras import ops

    x, kernel = (np.asarray(value, dtype="float32") for value in (x, weights[0]))
    result = ops.conv(x, kernel, strides=stride, padding="same", data_format="channels_last")
    return ops.convert_to_numpy(result) + sum(weights[1:])


def _neutralize_norms(model):
    """Let every BatchNormalization of a model return what it is given."""
    for layer in _norms(model):
        for weight in layer.weights:
            weight.assign(np.zeros(weight.shape))
        layer.moving_variance.assign(np.full(layer.moving_variance.shape, 1 - layer.epsilon))
        if layer.scale:
            layer.gamma.assign(np.ones(layer.gamma.shape))


def _output(what, model, x, *, training=False):
    """Return the answer of a model, at test time unless in `training`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = model(x, training=training)
    except Exception as problem:
        text = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", str(problem)).split()[:40])
        raise CheckFailed(
            f"{what} stopped with an error when it was given images of {_size(x.shape[1:])}.\n\n"
            f"{type(problem).__name__}: {text}"
        ) from None
    return Answer(to_numpy(value), f"The output of {what}")


def _relu(x):
    return np.maximum(x, 0)


def _softmax(scores, axis=-1):
    powers = np.exp(scores - scores.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def _backbone(shape):
    """Return a small network of convolutions and BatchNormalization with random weights."""
    import keras
    from keras import layers

    inputs = x = keras.Input(shape)
    for place, filters in enumerate((4, 6), start=1):
        x = layers.Conv2D(filters, 3, strides=place, padding="same", name=f"conv_{place}")(x)
        x = layers.BatchNormalization(name=f"norm_{place}")(x)
        x = layers.ReLU(name=f"relu_{place}")(x)
    x = layers.Conv2D(7, 1, name="conv_3")(x)
    # In MobileNetV2, too, there is no "norm" in the name of a BatchNormalization.
    model = keras.Model(inputs, layers.BatchNormalization(name="bn_3")(x))
    for layer in model.layers:
        layer.set_weights([1 + 0.5 * np.abs(_random(*w.shape)) for w in layer.get_weights()])
    for layer in _convolutions(model):
        _randomize([layer])
    return model
