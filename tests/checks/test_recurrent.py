"""The checks of lab 07 against right, blank and wrong answers."""

import math
import re

import keras
import numpy as np
import pytest
from failing import at_once, fails, three_tests
from keras import ops
from scipy import signal as scipy_signal
from scipy.special import expit

from helpers.checks import recurrent as check
from helpers.checks.core import CheckFailed, NotAttempted


def identity(a):
    return a


# --- right answers, and functions whose parts can be replaced by wrong ones


def rnn(x, h, kernel, recurrent, bias):
    return np.tanh(x @ kernel + h @ recurrent + bias)


def rnn_by_loops(x, h, kernel, recurrent, bias):
    new = [[float(b) for b in bias] for _ in x]
    for n, k in np.ndindex(len(x), len(bias)):
        new[n][k] += sum(a * w for a, w in zip(x[n], kernel[:, k], strict=True))
        new[n][k] += sum(a * w for a, w in zip(h[n], recurrent[:, k], strict=True))
        new[n][k] = math.tanh(new[n][k])
    return new


def by_keras(kind):
    """Return a step that Keras's cell makes of the weights, for cells with one state."""

    def step(x, h, *weights):
        cell = kind(h.shape[1])
        cell.build(x.shape)
        cell.set_weights(weights)
        x, h = (ops.convert_to_tensor(array, "float32") for array in (x, h))
        return cell(x, [h])[0]

    return step


def unrolled(step, x, h, mask):
    states = []
    for t in range(x.shape[1]):
        h = np.where(mask[:, t, None], step(x[:, t], h), h)
        states.append(h)
    return np.stack(states, axis=1)


def unrolled_in_place(step, x, h, mask):
    n, steps, _ = x.shape
    out = np.zeros((n, steps, h.shape[1]), dtype="float32")
    h = h.copy()
    for t in range(steps):
        h[mask[:, t]] = step(x[:, t], h)[mask[:, t]]
        out[:, t] = h
    return out


def unrolled_by_weights(step, x, h, mask):
    states = [h]
    for part, m in zip(np.swapaxes(x, 0, 1), mask.T.astype(float), strict=True):
        states.append(m[:, None] * step(part, states[-1]) + (1 - m[:, None]) * states[-1])
    return ops.array(np.array(states[1:]).transpose(1, 0, 2))


def unrolled_with(
    take=lambda x, t: x[:, t],
    keep=lambda new, h, m: np.where(m[:, None], new, h),
    feed=lambda new, kept, h: kept,
    start=identity,
    mask_of=lambda mask, t: mask[:, t],
    end=lambda states: np.stack(states, axis=1),
    stop=lambda m: False,
):
    def answer(step, x, h, mask):
        states, h = [], start(h)
        for t in range(x.shape[1]):
            if stop(mask_of(mask, t)):
                break
            new = step(take(x, t), h)
            kept = keep(new, h, mask_of(mask, t))
            states.append(kept)
            h = feed(new, kept, h)
        return end(states)

    return answer


def one_sequence_at_a_time(step, x, h, mask):
    return np.concatenate(
        [unrolled(step, x[[k]], h[[k]], mask[[k]]) for k in range(len(x))], axis=0
    )


def one_array_for_all(step, x, h, mask):
    states, h = [], h.copy()
    for t in range(x.shape[1]):
        h[mask[:, t]] = step(x[:, t], h)[mask[:, t]]
        states.append(h)
    return np.stack(states, axis=1)


def zeros_as_padding(step, x, h, mask):
    return unrolled(step, x, h, np.any(x != 0, axis=2))


def clipped(gradients, limit):
    norm = np.sqrt(sum(np.sum(np.square(g)) for g in gradients))
    return [g * limit / norm for g in gradients] if norm > limit else gradients


def clipped_by_minimum(gradients, limit):
    norm = np.linalg.norm(np.hstack([g.ravel() for g in gradients]))
    factor = min(1.0, limit / (norm + 1e-12))
    return tuple(np.float32(factor) * g for g in gradients)


def clipped_by_loop(gradients, limit):
    total = 0.0
    for g in gradients:
        for value in g.flat:
            total += float(value) ** 2
    total = math.sqrt(total)
    return [(g / max(total, limit) * limit).tolist() for g in gradients]


def clipped_with(norm=lambda g: np.linalg.norm(np.hstack([a.ravel() for a in g])), factor=None):
    factor = factor or (lambda n, limit: limit / n if n > limit else 1)
    return lambda gradients, limit: [g * factor(norm(gradients), limit) for g in gradients]


def clipped_in_place(gradients, limit):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    if norm > limit:
        for g in gradients:
            g *= limit / norm
    return gradients


def lstm(x, h, c, kernel, recurrent, bias):
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=1)
    c = expit(f) * c + expit(i) * np.tanh(g)
    return expit(o) * np.tanh(c), c


def lstm_by_slices(x, h, c, kernel, recurrent, bias):
    u = h.shape[1]
    parts = []
    for k in range(4):
        own = slice(k * u, (k + 1) * u)
        parts.append(x @ kernel[:, own] + h @ recurrent[:, own] + bias[own])
    i, f, o = (1 / (1 + np.exp(-parts[k])) for k in (0, 1, 3))
    c = f * c + i * np.tanh(parts[2])
    return [np.float32(o * np.tanh(c)), np.float32(c)]


def lstm_by_tensors(x, h, c, *weights):
    x, h, c, *weights = (ops.convert_to_tensor(array, "float32") for array in (x, h, c, *weights))
    a = ops.matmul(x, weights[0]) + ops.matmul(h, weights[1]) + weights[2]
    i, f, g, o = ops.split(a, 4, axis=-1)
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
    return ops.sigmoid(o) * ops.tanh(c), c


def lstm_with(
    order="ifgo",
    gate=expit,
    bend=np.tanh,
    new=lambda i, f, g, c, h: f * c + i * g,
    out=lambda o, new, old: o * np.tanh(new),
    end=lambda h, new, old: (h, new),
    cut=lambda a: np.split(a, 4, axis=-1),
    bias_times=1,
):
    def answer(x, h, c, kernel, recurrent, bias):
        parts = cut(x @ kernel + h @ recurrent + bias_times * bias)
        p = dict(zip(order, parts, strict=True))
        i, f, g, o = gate(p["i"]), gate(p["f"]), bend(p["g"]), gate(p["o"])
        c_new = new(i, f, g, c, h)
        return end(out(o, c_new, c), c_new, c)

    return answer


def gru(x, h, kernel, recurrent, bias):
    u = h.shape[1]
    a, b = x @ kernel + bias[0], h @ recurrent + bias[1]
    z, r = expit(a[:, :u] + b[:, :u]), expit(a[:, u : 2 * u] + b[:, u : 2 * u])
    return z * h + (1 - z) * np.tanh(a[:, 2 * u :] + r * b[:, 2 * u :])


def gru_by_parts(x, h, kernel, recurrent, bias):
    (wz, wr, wg), (uz, ur, ug) = (np.split(k, 3, axis=1) for k in (kernel, recurrent))
    (bz, br, bg), (cz, cr, cg) = (np.split(b, 3) for b in bias)
    z = 0.5 * (1 + np.tanh((x @ wz + h @ uz + bz + cz) / 2))
    r = 0.5 * (1 + np.tanh((x @ wr + h @ ur + br + cr) / 2))
    g = np.tanh(x @ wg + bg + r * (h @ ug + cg))
    return np.float32(g + z * (h - g)).tolist()


def gru_with(
    order="zrg",
    gate=expit,
    bend=np.tanh,
    inner=lambda a, b, r, h, own, bias: a + r * b,
    new=lambda z, h, g: z * h + (1 - z) * g,
    to_x=lambda bias: bias[0],
    to_h=lambda bias: bias[1],
):
    def parts(a):
        return dict(zip(order, np.split(a, 3, axis=-1), strict=True))

    def answer(x, h, kernel, recurrent, bias):
        a, b = parts(x @ kernel + to_x(bias)), parts(h @ recurrent + to_h(bias))
        z, r = gate(a["z"] + b["z"]), gate(a["r"] + b["r"])
        own, bias = parts(recurrent)["g"], parts(bias[1])["g"]
        return new(z, h, bend(inner(a["g"], b["g"], r, h, own, bias)))

    return answer


def split(person, test_people):
    test = np.isin(person, test_people)
    return np.flatnonzero(~test), np.flatnonzero(test)


def split_by_lists(person, test_people):
    people = {int(one) for one in test_people}
    test = [k for k, one in enumerate(person) if int(one) in people]
    return [k for k in range(len(person)) if k not in test][::-1], test


def split_by_masks(person, test_people):
    test = np.any(person[:, None] == np.asarray(test_people), axis=1)
    return ~test, test


def split_of(of, first=identity):
    """A split with wrong test windows, or wrong lists of what is right."""

    def answer(person, test_people):
        test = of(person, np.asarray(test_people))
        return first((np.flatnonzero(~test), np.flatnonzero(test)))

    return answer


def one_after_the_other(person, test_people):
    parts = set(person) - set(test_people), test_people
    return [np.concatenate([np.flatnonzero(person == one) for one in part]) for part in parts]


def random_windows(person, test_people):
    order = np.random.default_rng(3).permutation(len(person))
    return order[2:], order[:2]


def spectra(signal, size, hop):
    starts = range(0, len(signal) - size + 1, hop)
    return np.array([np.abs(np.fft.rfft(signal[k : k + size] * np.hanning(size))) for k in starts])


def spectra_by_view(signal, size, hop):
    frames = np.lib.stride_tricks.sliding_window_view(signal, size)[::hop]
    return np.abs(np.fft.rfft(frames * scipy_signal.get_window("hann", size)))


def spectra_by_fft(signal, size, hop):
    out = np.empty(((len(signal) - size) // hop + 1, size // 2 + 1), dtype="float32")
    for k in range(len(out)):
        whole = np.fft.fft(np.hanning(size) * signal[k * hop : k * hop + size])
        out[k] = np.sqrt(whole.real**2 + whole.imag**2)[: size // 2 + 1]
    return out


def windows_behind(signal, size, hop):
    starts = range(0, len(signal) - size + 1, hop)
    return np.array([np.abs(np.fft.rfft(signal[k : k + size]) * np.hanning(size)) for k in starts])


def spectra_with(
    starts=lambda length, size, hop: range(0, length - size + 1, hop),
    window=np.hanning,
    transform=np.fft.rfft,
    size_of=np.abs,
    before=lambda signal, size: signal,
    frame=identity,
    end=np.array,
):
    def answer(signal, size, hop):
        signal = before(signal, size)
        places = starts(len(signal), size, hop)
        frames = [frame(signal[k : k + size].astype(float)) * window(size) for k in places]
        return end([size_of(transform(each)) for each in frames])

    return answer


RIGHT = {
    check.rnn_step: [rnn, rnn_by_loops, by_keras(keras.layers.SimpleRNNCell)],
    check.unroll: [unrolled, unrolled_in_place, unrolled_by_weights],
    check.clip: [clipped, clipped_by_minimum, clipped_by_loop],
    check.lstm_step: [lstm, lstm_by_slices, lstm_by_tensors],
    check.gru_step: [gru, gru_by_parts, by_keras(keras.layers.GRUCell)],
    check.split_by_person: [split, split_by_lists, split_by_masks],
    check.spectrogram: [spectra, spectra_by_view, spectra_by_fft],
}

WRONG = {
    check.rnn_step: [
        (lambda x, h, w, u, b: x @ w + h @ u + b, "tanh is missing"),
        (lambda x, h, w, u, b: np.tanh(x @ w + h @ u), "bias has no effect"),
        (lambda x, h, w, u, b: np.tanh(x @ w + b + h @ u + b), "added twice"),
        (lambda x, h, w, u, b: np.tanh(x @ w + b), "`h` has no effect"),
        (lambda x, h, w, u, b: np.tanh(h @ u + b), "`x` has no effect"),
        (lambda x, h, w, u, b: np.tanh(x @ u + h @ w + b), "two kernels have changed"),
        (lambda x, h, w, u, b: np.tanh(x @ u + h @ w + b), "kernel (2, 4), recurrent (4, 4)"),
        (lambda x, h, w, u, b: np.tanh(x @ w + h @ u.T + b), "`recurrent` is transposed"),
        (lambda x, h, w, u, b: np.tanh(x * w + h * u + b), "number by number"),
        (lambda x, h, w, u, b: expit(x @ w + h @ u + b), "sigmoid"),
        (lambda x, h, w, u, b: np.maximum(0, x @ w + h @ u + b), "ReLU"),
        (lambda x, h, w, u, b: np.tanh(x @ w + b) + np.tanh(h @ u), "Add first"),
        (lambda x, h, w, u, b: np.tanh(x @ w + h @ u) + b, "Add first"),
        (lambda x, h, w, u, b: np.tanh(x @ w + h + b), "as it is"),
        (lambda x, h, w, u, b: rnn(x, h, w, u, b)[0], "Only the first sequence"),
        (lambda *case: (rnn(*case), rnn(*case)), "Return one array"),
        (lambda *case: (rnn(*case), [rnn(*case)]), "Return one array"),
        (lambda x, h, w, u, b: x @ w + h @ u.T + b, "tanh is missing"),
        (lambda x, h, w, u, b: math.tanh(x @ w + h @ u + b), "takes one number"),
        (lambda x, h, w, u, b: np.tanh(w @ x + u @ h + b), "Sequences are rows"),
        (lambda *case: 2 * rnn(*case), "expected:"),
        (lambda x, h, w, u, b: np.tanh(x @ w + h @ u + b**2 + b), "right where the bias is zero"),
        (lambda x, h, w, u, b: rnn(x, h * abs(h), w, u, b), "the state before is zero"),
        (lambda *case: np.nan * rnn(*case), "NaN"),
    ],
    check.unroll: [
        (unrolled_with(keep=lambda new, h, m: new), "mask has no effect"),
        (unrolled_with(keep=lambda new, h, m: new * m[:, None]), "becomes zero"),
        (unrolled_with(keep=lambda new, h, m: np.where(m[:, None], h, new)), "wrong way round"),
        (lambda *case: unrolled(*case) * case[3][..., None], "output is zero at padding"),
        (unrolled_with(keep=lambda new, h, m: new if m.all() else h), "whole batch"),
        (unrolled_with(keep=lambda new, h, m: np.where(m, new, h)), "second axis"),
        (unrolled_with(keep=lambda new, h, m: new if m else h), "`if` takes one"),
        (unrolled_with(take=lambda x, t: x[t]), "(n, steps, features)"),
        (unrolled_with(mask_of=lambda mask, t: mask[t]), "`mask[t]` belongs"),
        (unrolled_with(end=np.stack), "steps come first"),
        (unrolled_with(end=identity), "A list of states"),
        (unrolled_with(end=lambda states: states[-1]), "Only the last state"),
        (unrolled_with(end=lambda states: states[0]), "inside the loop"),
        (unrolled_with(end=lambda states: np.concatenate(states, 1)), "joined along"),
        (unrolled_with(start=np.zeros_like), "begin with zeros"),
        (unrolled_with(feed=lambda new, kept, h: h), "begins with the first state"),
        (unrolled_with(feed=lambda new, kept, h: new), "what padding made"),
        (unrolled_with(stop=lambda m: not m.all()), "ends where one sequence"),
        (one_array_for_all, "one array again and again"),
        (one_sequence_at_a_time, "called 15 times for 5 steps"),
        (zeros_as_padding, "only `mask` tells"),
        (lambda *case: 2 * unrolled(*case), "sequence 0 after step 0"),
    ],
    check.clip: [
        (lambda g, limit: [clipped([a], limit)[0] for a in g], "by its own norm"),
        (lambda g, limit: [np.clip(a, -limit, limit) for a in g], "cut off each number"),
        (clipped_with(factor=lambda n, limit: limit / n), "divided by 0"),
        (clipped_with(factor=lambda n, limit: limit / n if n else 1), "scaled up to it"),
        (
            clipped_with(
                norm=lambda g: math.sqrt(sum(float(np.sum(a * a)) for a in g)),
                factor=lambda n, limit: min(1, limit / n),
            ),
            "Divide only",
        ),
        (clipped_with(norm=lambda g: sum(np.linalg.norm(a) for a in g)), "add up the norms"),
        (clipped_with(norm=lambda g: sum(np.sum(a**2) for a in g)), "root is missing"),
        (clipped_with(norm=lambda g: sum(np.abs(a).sum() for a in g)), "absolute values"),
        (clipped_with(norm=lambda g: max(np.abs(a).max() for a in g)), "largest number"),
        (clipped_with(norm=lambda g: np.linalg.norm(g[0])), "the first array"),
        (clipped_with(factor=lambda n, limit: n / limit if n > limit else 1), "gradients grow"),
        (clipped_with(factor=lambda n, limit: 1 / n if n > limit else 1), "the norm 1"),
        (clipped_in_place, "in place"),
        (lambda g, limit: [clipped(g, limit)[0], *g[1:]], "Only the first array is scaled"),
        (lambda g, limit: clipped(g, limit)[:1], "first array only"),
        (lambda g, limit: clipped(g, limit)[0], "one row of numbers"),
        (lambda g, limit: np.hstack([a.ravel() for a in clipped(g, limit)]), "one row of numbers"),
        (lambda g, limit: (clipped(g, limit), 1.0), "a list and something else"),
        (lambda g, limit: np.array(g) * min(1, limit / np.linalg.norm(g)), "one after the other"),
        (lambda g, limit: g * 0.5, "A list can't be scaled"),
        (lambda g, limit: g, "as they were"),
        (lambda g, limit: min(1, limit), "list of 2 arrays"),
        (lambda g, limit: [3 * a for a in clipped(g, limit)], "is 5 and the limit 1"),
    ],
    check.lstm_step: [
        (lstm_with(order="figo"), "i and f have changed places"),
        (lstm_with(order="ifog"), "g and o have changed places"),
        (lstm_with(order="gfio"), "i and g have changed places"),
        (lstm_with(order="iofg"), "in the order i, o, f, g"),
        (lstm_with(order="ogfi"), "in the order o, g, f, i"),
        (lstm_with(bend=identity), "tanh of g is missing"),
        (lstm_with(bend=expit), "Your g is a sigmoid"),
        (lstm_with(bend=expit, out=lambda o, new, old: o * expit(new)), "sigmoid of c"),
        (lstm_with(out=lambda o, new, old: o * new), "tanh of c is missing"),
        (lstm_with(out=lambda o, new, old: o * np.tanh(old)), "uses the old c"),
        (lstm_with(new=lambda i, f, g, c, h: i * c + f * g), "i and f have changed"),
        (lstm_with(new=lambda i, f, g, c, h: f * c + g), "input gate i is missing"),
        (lstm_with(new=lambda i, f, g, c, h: c + i * g), "forget gate f is missing"),
        (lstm_with(new=lambda i, f, g, c, h: f * h + i * g), "applied to h"),
        (lstm_with(bias_times=0), "bias has no effect"),
        (lstm_with(bias_times=0, bend=expit), "bias has no effect"),
        (lstm_with(gate=identity), "sigmoid of the gates is missing"),
        (lstm_with(gate=lambda a: 1 / (1 + np.exp(a))), "wrong sign"),
        (lstm_with(gate=lambda a: np.exp(a) / (1 + np.exp(a))), "infinity by infinity"),
        (lstm_with(cut=lambda a: np.split(a, 4)), "split along the last axis"),
        (lstm_with(cut=lambda a: [a[:, k::4] for k in range(4)]), "every 4th column"),
        (lstm_with(end=lambda h, new, old: (new, h)), "h comes first"),
        (lstm_with(end=lambda h, new, old: h), "Return both new states"),
        (lstm_with(end=lambda h, new, old: (h, [h, new])), "Keras's cell does"),
        (lstm_with(end=lambda h, new, old: (h, old)), "Return the new one"),
        (lstm_with(end=lambda h, new, old: (3 * h, new)), "Your c is right"),
        (lstm_with(end=lambda h, new, old: (h, 3 * new)), "Your h is right"),
        (lambda x, h, c, w, u, b: lstm(x, h, c, u, w, b), "kernels have changed"),
    ],
    check.gru_step: [
        (gru_with(inner=lambda a, b, r, h, own, bias: a + (r * h) @ own + bias), "reset_after"),
        (gru_with(inner=lambda a, b, r, h, own, bias: a + b), "r has no effect"),
        (gru_with(inner=lambda a, b, r, h, own, bias: r * (a + b)), "all of g"),
        (
            gru_with(inner=lambda a, b, r, h, own, bias: a + r * (b - bias) + bias),
            "r doesn't reach",
        ),
        (gru_with(new=lambda z, h, g: (1 - z) * h + z * g), "z and 1 - z"),
        (gru_with(new=lambda z, h, g: z * h + z * g), "multiplied by z"),
        (gru_with(order="rzg"), "z and r have changed"),
        (gru_with(order="rgz"), "in the order r, g, z"),
        (gru_with(to_h=lambda b: 0 * b[1]), "second bias"),
        (gru_with(to_x=lambda b: 0 * b[0]), "first bias"),
        (gru_with(to_x=lambda b: b[0] + b[1], to_h=lambda b: 0), "r doesn't reach"),
        (gru_with(to_x=lambda b: b[1], to_h=lambda b: b[0]), "biases have changed"),
        (gru_with(to_x=lambda b: b, to_h=lambda b: b), "`bias` is added as a whole"),
        (gru_with(to_x=lambda b: b, to_h=lambda b: 0), "has two rows"),
        (gru_with(bend=identity), "tanh of g is missing"),
        (gru_with(gate=lambda a: 1 / (1 + np.exp(a))), "wrong sign"),
        (gru_with(gate=lambda a: np.exp(a) / (1 + np.exp(a))), "infinity by infinity"),
        (lambda *case: (gru(*case), gru(*case)), "Return one array"),
        (lambda *case: 2 * gru(*case), "expected:"),
    ],
    check.split_by_person: [
        (lambda *case: split(*case)[::-1], "changed places"),
        (split_of(lambda p, t: p == t[0]), "Only one of the test people"),
        (split_of(lambda p, t: p == t), "among"),
        (lambda p, t: (t, t) if p in t else None, "among"),
        (random_windows, "windows in both parts"),
        (lambda p, t: (np.arange(len(p)), split(p, t)[1]), "train holds all windows"),
        (lambda p, t: (p[~np.isin(p, t)], p[np.isin(p, t)]), "numbers of people"),
        (lambda p, t: (split(p, t)[0], p[t]), "have ids of their own"),
        (lambda p, t: (split(p, t)[0], t), "numbers of people"),
        (lambda p, t: (split(p, t)[0], split(p, t)[1][:-1]), "in neither part"),
        (lambda p, t: (split(p, t)[0], np.repeat(split(p, t)[1], 2)), "more than once"),
        (lambda p, t: split(p, t)[1], "Return (train, test)"),
        (lambda p, t: (~[one in t for one in p], None), "not a list"),
        (lambda p, t: np.array(list(split(p, t))), "one after the other"),
        (one_after_the_other, "A part can be empty"),
        (lambda p, t: tuple(m.astype(int) for m in split_by_masks(p, t)), "True and False"),
        (
            split_of(
                lambda p, t: np.isin(p, t) & np.isin(np.arange(len(p)), np.unique(p, True)[1])
            ),
            "one window of each person",
        ),
    ],
    check.spectrogram: [
        (spectra_with(window=np.ones), "window is missing"),
        (spectra_with(window=np.hamming), "np.hamming"),
        (spectra_with(window=np.blackman), "another one"),
        (spectra_with(transform=np.fft.fft), "come in pairs"),
        (spectra_with(transform=lambda f: np.fft.rfft(f)[: len(f) // 2]), "highest frequency"),
        (lambda *case: spectra(*case).T, "frames come first"),
        (lambda *case: spectra(*case) ** 2, "squares"),
        (spectra_with(size_of=np.real), "real part only"),
        (spectra_with(size_of=identity), "complex numbers"),
        (spectra_with(starts=lambda n, size, hop: range(0, n - size + 1, size)), "side by side"),
        (spectra_with(starts=lambda n, size, hop: range(0, n - size + 1)), "move by one sample"),
        (
            spectra_with(starts=lambda n, size, hop: range(0, n - size - hop + 1, hop)),
            "last frame is missing",
        ),
        (spectra_with(starts=lambda n, size, hop: range(0, n - size, hop)), "it still fits"),
        (spectra_with(starts=lambda n, size, hop: range(0, n, hop)), "Only whole frames"),
        (spectra_with(before=lambda s, size: np.pad(s, size // 2)), "before the signal"),
        (spectra_with(before=lambda s, size: s - s.mean()), "subtract a mean"),
        (spectra_with(frame=lambda f: f - f.mean()), "subtract a mean"),
        (
            spectra_with(before=lambda s, size: s * np.hanning(len(s)), window=np.ones),
            "over the whole signal",
        ),
        (windows_behind, "before the transform?"),
        (lambda *case: np.log(spectra(*case)), "logarithm"),
        (lambda *case: spectra(*case) / case[1], "divide by a size"),
        (lambda s, size, hop: spectra(np.pad(s, (0, hop)), size, hop), "one frame too many"),
        (lambda *case: 3 * spectra(*case), "first wrong frame is 0"),
    ],
}


(
    test_right_answers_pass,
    test_wrong_answers_fail_with_their_message,
    test_blanks_are_not_attempted,
) = three_tests(RIGHT, WRONG)


NORMS = {
    "tanh, small weights": np.geomspace(1, 1e-31, 200),
    "tanh, large weights": np.geomspace(1, 1e-3, 200),
    "ReLU, identity": np.linspace(1, 1.5, 200),
    "LSTM": np.linspace(1, 0.2, 200),
}


def test_keeps_compares_the_prediction_with_the_norms():
    check.keeps("ReLU, identity", NORMS)
    check.keeps(" relu,  Identity", {name: list(norms) for name, norms in NORMS.items()})
    fails(check.keeps, None, NORMS, match="no value", kind=NotAttempted)
    strange = {**NORMS, "gone": np.zeros(200), "lost": np.full(200, np.inf), "odd": [np.nan]}
    check.keeps("ReLU, identity", strange)
    for wrong, phrase in [
        ("tanh, small weights", "1e-31 times what it was"),
        ("LSTM", "0.2 times"),
        ("gone", "vanished altogether"),
        ("lost", "grown beyond all numbers"),
        ("odd", "beyond all"),
        ("dog", "answer with one of these"),
        (2, "answer with one of these"),
    ]:
        fails(check.keeps, wrong, strange, match=re.escape(phrase))
    with pytest.raises(CheckFailed) as raised:
        check.keeps("LSTM", NORMS)
    assert "ReLU" not in str(raised.value)


def test_a_hint_for_an_error_is_given_once():
    with pytest.raises(CheckFailed) as raised:
        check.unroll(unrolled_with(keep=lambda new, h, m: np.where(m, new, h)))
    assert str(raised.value).count("second axis") == 1


def test_the_states_are_those_of_keras():
    random = np.random.default_rng(3)
    x, mask = random.normal(size=(3, 5, 2)).astype("float32"), np.ones((3, 5), bool)
    mask[0, 3:] = mask[1, 1:3] = False
    h = random.normal(size=(3, 4)).astype("float32")
    layer = keras.layers.SimpleRNN(4, return_sequences=True)
    layer.build(x.shape)
    states = layer(x, mask=ops.array(mask), initial_state=ops.array(h))
    weights = layer.get_weights()
    ours = check._unrolled(lambda x, h: rnn(x, h, *weights), x, h, mask)
    np.testing.assert_allclose(ops.convert_to_numpy(states), ours, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "recipe", "cases", "states"),
    [
        ("SimpleRNNCell", check._rnn, check._cases(1, 1), 1),
        ("LSTMCell", check._lstm, check._cases(4, 2), 2),
        ("GRUCell", check._gru, check._cases(3, 1, bias_rows=(2,)), 1),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_the_recipes_of_the_cells_are_those_of_keras(name, recipe, cases, states):
    for case in cases:
        theirs = check._keras(name, case[0], case[1 : states + 1], case[states + 1 :])
        np.testing.assert_allclose(np.reshape(recipe(*case), theirs.shape), theirs, atol=2e-5)


def test_clipping_is_that_of_keras():
    gradients = [np.array([[3.0, 1.0]]), np.array([-2.0, 5.0, 1.0])]
    weights = [keras.Variable(np.zeros(g.shape), dtype="float32") for g in gradients]
    optimizer = keras.optimizers.SGD(1.0, global_clipnorm=2.0)
    optimizer.apply([ops.array(g, "float32") for g in gradients], weights)
    moved = np.concatenate([-ops.convert_to_numpy(w).ravel() for w in weights])
    np.testing.assert_allclose(moved, check._clipped(gradients, 2.0), rtol=1e-5)


def test_the_score_card_follows_the_exercises():
    words = ["simple", "unroll", "keeps", "clip", "LSTM", "GRU", "person", "spectro"]
    assert all(word in title for word, title in zip(words, check.lab.status, strict=True))


def test_every_check_answers_at_once():
    for test, arguments in [
        *((test, right[:1]) for test, right in RIGHT.items()),
        *((test, pair[:1]) for test, pairs in WRONG.items() for pair in pairs[::3]),
        (check.keeps, ("ReLU, identity", NORMS)),
    ]:
        at_once(test, *arguments)
