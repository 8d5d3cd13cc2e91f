"""The game of a GAN: who learns and by what loss; and the judge of digits."""

import keras
import numpy as np
import pandas as pd
import pytest

from helpers import data, gan


def networks():
    """Return a generator from three numbers to two, and a discriminator of two numbers."""
    generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    discriminator = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(4, activation="tanh"),
            keras.layers.Dense(1),
        ]
    )
    return generator, discriminator


def values(model, x):
    return keras.ops.convert_to_numpy(model(x))


def batch(n, size, seed):
    return np.random.default_rng(seed).normal(size=(n, size)).astype("float32")


def weights(game):
    return [player.get_weights() for player in (game.generator, game.discriminator)]


def moved(before, after):
    return [
        any(not np.array_equal(a, b) for a, b in zip(*pair, strict=True))
        for pair in zip(before, after, strict=True)
    ]


def test_the_critic_moves_the_discriminator_and_the_forger_the_generator():
    game = gan.Game(*networks())
    for turn in range(2):  # in turns, since freezing must hold in later steps as well
        before = weights(game)
        game.discriminator.trainable = True
        game.critic.train_on_batch([batch(5, 2, turn), batch(5, 2, turn + 9)])
        between = weights(game)
        game.discriminator.trainable = False
        game.forger.train_on_batch(batch(5, 3, turn))
        assert moved(before, between) == [False, True]
        assert moved(between, weights(game)) == [True, False]


def test_the_loss_is_that_of_this_batch_before_the_step():
    game = gan.Game(*networks(), rate=0.05)
    for seed in range(3):
        real, made, noise = 4 * batch(6, 2, seed), batch(6, 2, seed + 10), batch(6, 3, seed)
        game.discriminator.trainable = True
        r, m = values(game.discriminator, real), values(game.discriminator, made)
        expected = np.mean(np.logaddexp(0, -r)) + np.mean(np.logaddexp(0, m))
        loss = game.critic.train_on_batch([real, made])
        assert isinstance(loss, float)
        assert loss == pytest.approx(expected, abs=1e-5)
        game.discriminator.trainable = False
        m = values(game.discriminator, values(game.generator, noise))
        expected = np.mean(np.logaddexp(0, -m))
        assert game.forger.train_on_batch(noise) == pytest.approx(expected, abs=1e-5)


def test_each_player_lowers_its_loss():
    game = gan.Game(*networks(), rate=0.05)
    real, made, noise = batch(20, 2, 0) + 2, batch(20, 2, 1) - 2, batch(20, 3, 2)
    game.discriminator.trainable = True
    losses = [game.critic.train_on_batch([real, made]) for _ in range(20)]
    assert losses[-1] < 0.5 * losses[0]
    game.discriminator.trainable = False
    losses = [game.forger.train_on_batch(noise) for _ in range(20)]
    assert losses[-1] < losses[0]


def test_a_game_uses_the_losses_that_it_is_given():
    def apart(real, made):
        return keras.ops.mean(made) - keras.ops.mean(real)

    def doubled(made):
        return 2 * keras.ops.mean(made)

    game = gan.Game(*networks(), apart, doubled)
    real, made, noise = batch(4, 2, 0), batch(4, 2, 1), batch(4, 3, 2)
    r, m = values(game.discriminator, real), values(game.discriminator, made)
    fooled = values(game.discriminator, values(game.generator, noise))
    assert game.forger.evaluate(noise, verbose=0) == pytest.approx(2 * fooled.mean(), abs=1e-5)
    assert game.critic.train_on_batch([real, made]) == pytest.approx(m.mean() - r.mean(), abs=1e-5)


def conditional():
    """Return a generator and a discriminator that know the label."""

    def beside(size):
        x, label = keras.Input((size,)), keras.Input((), dtype="int32")
        return [x, label], keras.layers.Concatenate()([x, keras.layers.Embedding(10, 2)(label)])

    noise, joined = beside(3)
    generator = keras.Model(noise, keras.layers.Dense(2)(joined))
    image, joined = beside(2)
    return generator, keras.Model(image, keras.layers.Dense(1)(joined))


def test_a_game_with_labels_takes_each_beside_its_images():
    game = gan.Game(*conditional())
    labels, others = np.array([1, 7, 0, 9], "int32"), np.array([2, 2, 3, 5], "int32")
    real, made, noise = batch(4, 2, 0), batch(4, 2, 1), batch(4, 3, 2)
    r = values(game.discriminator, [real, labels])
    m = values(game.discriminator, [made, others])
    expected = np.mean(np.logaddexp(0, -r)) + np.mean(np.logaddexp(0, m))
    loss = game.critic.train_on_batch([real, labels, made, others])
    assert loss == pytest.approx(expected, abs=1e-5)
    game.discriminator.trainable = False
    fooled = values(game.discriminator, [values(game.generator, [noise, labels]), labels])
    before = weights(game)
    loss = game.forger.train_on_batch([noise, labels])
    assert loss == pytest.approx(np.mean(np.logaddexp(0, -fooled)), abs=1e-5)
    assert moved(before, weights(game)) == [True, False]


def test_a_schedule_lowers_the_rate():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.1, 0.0])
    game = gan.Game(*networks(), rate=schedule)
    real, made = batch(4, 2, 0), batch(4, 2, 1)
    start = weights(game)
    game.critic.train_on_batch([real, made])
    first = weights(game)
    game.critic.train_on_batch([real, made])
    assert moved(start, first) == [False, True]
    assert moved(first, weights(game)) == [False, False]


@pytest.fixture(scope="module")
def offline():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_DATA", "offline")
        digits = data.mnist()
    return digits, gan.judge(digits.source)


def test_the_judge_gives_probabilities_and_features(offline):
    digits, judge = offline
    images = digits.x_test[:7, ..., None]
    probabilities, features = judge.predict(images, verbose=0)
    assert probabilities.shape == (7, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert features.shape == (7, 64)
    assert features.min() < 0 < features.max()
    assert judge.count_params() == 117_722


def accuracy(judge, images, labels):
    return np.mean(judge.predict(images[..., None], verbose=0)[0].argmax(axis=1) == labels)


def test_the_judge_knows_the_offline_test_digits(offline):
    digits, judge = offline
    assert not digits.source.real
    assert accuracy(judge, digits.x_test, digits.y_test) >= 0.965  # 0.972 when it was trained


def test_the_judge_knows_real_test_digits(real_data, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(real_data))
    digits = data.mnist()
    assert digits.source.real
    judge = gan.judge(digits.source)
    assert accuracy(judge, digits.x_test, digits.y_test) >= 0.99  # 0.9941 when it was trained


@pytest.mark.parametrize("content", [None, b"no weights"])
def test_damaged_weights_are_a_data_error(offline, tmp_path, monkeypatch, content):
    file = tmp_path / "judge.weights.h5"
    if content:
        file.write_bytes(content)
    monkeypatch.setattr(gan, "judge_file", lambda source: file)
    with pytest.raises(data.DataError):
        gan.judge(offline[0].source)


def test_the_distance_is_that_of_normal_distributions():
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(0)
    real, made = rng.normal(size=(50, 4)) @ rng.normal(size=(4, 4)), 2 + rng.normal(size=(30, 4))
    c, d = np.cov(real, rowvar=False), np.cov(made, rowvar=False)
    expected = np.sum((real.mean(axis=0) - made.mean(axis=0)) ** 2)
    expected += np.trace(c + d - 2 * sqrtm(c @ d).real)
    assert gan.frechet(real, made) == pytest.approx(expected)
    assert gan.frechet(made, real) == pytest.approx(expected)


def test_the_distance_of_the_same_or_of_moved_features():
    features = np.random.default_rng(1).normal(size=(40, 3))
    assert gan.frechet(features, features) == pytest.approx(0, abs=1e-9)
    assert gan.frechet(features, features + np.array([3, 0, 4])) == pytest.approx(25)
    same = np.repeat(features[:1], 40, axis=0)  # no variety: a singular matrix of zeros
    assert gan.frechet(same, same) == pytest.approx(0)


def test_the_measured_table_has_three_seeds_of_each_game_on_both_kinds_of_digits():
    table = pd.read_csv(gan.MEASURED)
    counts = table.groupby(["data", "kind"])["seed"].nunique()
    assert len(counts) == 8
    assert (counts == 3).all()
    assert (table["rarest"] <= 0.1).all()
    assert ((table["evenness"] > 0) & (table["evenness"] <= 1)).all()
