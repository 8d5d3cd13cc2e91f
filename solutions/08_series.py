# %% [markdown]
# # Time series: rolling windows and stateful networks
#
# What comes next? Today's value is known, and so is the past. After this lab you will be able to
#
# - split and scale a series in time, and say how the future leaks into a score,
# - cut a series into rolling windows, for any number of steps in and out,
# - compare every network with persistence, the seasons and autoregression,
# - forecast many steps ahead in three ways,
# - train a stateful network, whose memory reaches far beyond its window,
# - evaluate a forecast as it would be used: refitted year by year.
#
# You need about three hours. The notebook computes for three to four minutes on two CPU cores and
# takes up to 1.2 GB of memory. The series are real: carbon dioxide in the air, spots on the sun, and the
# temperature of the Pacific off Peru. They come with the package statsmodels, so nothing is
# downloaded.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from statsmodels import datasets

from helpers import plots, training, windows
from helpers.checks import series as check

# %% [markdown]
# ## A series is not a bag of photos
#
# Photos can be shuffled; each stands for itself. In a **time series** the order is the content:
# neighbors resemble each other, the level drifts, a season returns. Three series:
#
# - **CO2**: carbon dioxide in the air at Mauna Loa, Hawaii, one value a week, in parts per million
#   (ppm). C. D. Keeling began to measure it in 1958.
# - **Sunspots**: one number a year, the larger the more spots the sun has, since 1700.
# - **Sea surface temperature** (SST): the Pacific between the equator and 10 degrees south, off
#   the coast of South America, one mean a month, in degrees Celsius. In years of *El Niño* this water
#   is much too warm.
#
# Each becomes a `Series` of pandas: an array of values, with the time of each as its `index`.

# %%
weekly = datasets.co2.load_pandas().data["co2"]
sunspots = (
    datasets.sunspots.load_pandas().data.astype({"YEAR": int}).set_index("YEAR")["SUNACTIVITY"]
)
table = datasets.elnino.load_pandas().data.set_index("YEAR")
months = pd.date_range("1950-01", periods=table.size, freq="MS")
sst = pd.Series(table.to_numpy().ravel(), months)
for name, series in [("CO2", weekly), ("sunspots", sunspots), ("SST", sst)]:
    first, last = (str(time)[:10] for time in series.index[[0, -1]])
    print(f"{name:9}{len(series):5} values, {first} to {last}")

# %% [markdown]
# In each plot look for three things: a **trend** (does the level change?), a **period** (what
# returns, and how exactly?), and what is left: does it look as if one could guess it?

# %%
figure, axes = plt.subplots(3, 1, figsize=(7.5, 6))
for axis, series, label in [
    (axes[0], weekly, "CO2 (ppm)"),
    (axes[1], sunspots, "sunspot number"),
    (axes[2], sst, "SST (°C)"),
]:
    axis.plot(series, linewidth=1)
    axis.set_ylabel(label)
axes[2].set_xlabel("year")
plots.show(
    figure,
    alt="CO2 climbs from 1958 to 2001 with a small regular wave each year. Sunspots from 1700 to 2008 "
    "rise and fall about every eleven years, to peaks of very different height. The sea "
    "temperature has a strong yearly wave, and a few years that are much warmer.",
)

# %% [markdown]
# CO2 has a trend, and a season as regular as a clock. The sunspots have a period of *about* eleven
# years, and no two peaks are alike. The sea has an exact season, and on top of it the warm years of
# El Niño (find those of 1982/83 and 1997/98), which come at irregular times. So we shall not expect
# the same method to win everywhere.

# %% [markdown]
# ## Gaps
#
# The CO2 line has small holes: weeks without a value. They are stored as NaN, *not a number*, and
# whatever you compute with a NaN is NaN again. So always count them first.

# %%
gap = weekly.isna()
lengths = gap.groupby((~gap).cumsum()).sum()
print("NaN in the series:", gap.sum(), "   longest gap:", lengths.max(), "weeks")
print("mean by NumPy:", np.mean(weekly.to_numpy()), "   without the gaps:", np.nanmean(weekly))

# %% [markdown]
# NumPy passes the NaN on in silence; a loss would be NaN from the first batch that holds one. Could
# we just *drop* the weeks without a value? Then the rows no longer stand for equal times, and "52
# rows ago" is no longer a year ago. The course's `windows.rolling_windows`, which you will write
# yourself soon, pairs each 52 weeks with the week after them. It accepts neither the series with NaN
# nor the one without these weeks, and says why.

# %%
dropped = weekly.dropna()
for values, times in [(weekly, weekly.index), (dropped, dropped.index)]:
    try:
        windows.rolling_windows(values, 52, 1, times=times)
    except ValueError as error:
        print(error)

# %% [markdown]
# So **fill** small gaps, and cut the series at large ones. Which filling is good? We can measure it:
# hide values that we know, in gaps of the same lengths but ten years later, and fill them with the
# mean of the series, with the last known value, or along a straight line across the gap. The error
# is the root of the mean squared error, **RMSE**, which has the unit of the values. Guess the order
# of the three ways.

# %%
hidden = gap.shift(520, fill_value=False) & ~gap
holed = weekly.mask(hidden)
for name, filled in [
    ("mean of the series", holed.fillna(holed.mean())),
    ("last known value", holed.ffill()),
    ("straight line", holed.interpolate("time")),
]:
    print(f"{name:18} RMSE {np.sqrt(np.mean((filled - weekly)[hidden] ** 2)):6.2f} ppm")

# %% [markdown]
# The straight line between the neighbors wins; the mean is nonsense for a series with a trend. But
# mind: a straight line needs the value *after* the gap, which a forecaster doesn't have yet. In a
# forecast that runs live, only the last known value is allowed.
#
# Time stamps can be irregular as well: measured when somebody had time. The treatment is the same:
# average what falls into each hour, week or month, then fill what got none. Here we go from weeks
# to months. Months differ in their number of days, so we count them as months (`datetime64[M]`).

# %%
co2 = weekly.interpolate("time").resample("MS").mean()["1959":]
x, y = windows.rolling_windows(co2, 24, 12, times=co2.index.to_numpy().astype("datetime64[M]"))
print(f"{len(co2)} months, windows {x.shape}, what follows each {y.shape}")

# %% [markdown]
# ## The future must not leak

# %% [markdown]
# ### Exercise 1: split and scale
#
# A forecast is tested on what comes **after** everything it learned from. Write
# `split_and_scale(series, share)`. `series` is an array `(n,)` in order of time. The training part
# is its first `int(share * n)` values, the test part the rest. Scale both: subtract the mean and
# divide by the standard deviation (`np.std`) of the **training part**. Return `(train, test)`.
#
# `split_and_scale([1, 3, 5, 9], 0.5)` has the training part `[1, 3]`, with mean 2 and standard
# deviation 1, and gives `[-1, 1]` and `[3, 7]`. The test part is far from 0: that is how it is, when
# the future is unlike the past.
#
# <details><summary>Hint</summary>
#
# Slice first; `np.asarray(series, dtype=float)` makes an array of a list. Take mean and deviation
# from the first slice, keep them in variables, use them for both.
# </details>


# %% tags=["exercise:split_and_scale"]
def split_and_scale(series, share):
    """Return the scaled training part and the scaled test part of a series (n,)."""
    ### BEGIN SOLUTION
    series = np.asarray(series, dtype=float)
    n = int(share * len(series))
    mean, deviation = series[:n].mean(), series[:n].std()
    scaled = (series - mean) / deviation
    return scaled[:n], scaled[n:]
    ### END SOLUTION


# %% tags=["check:split_and_scale", "nbval-check-output"]
check.split_and_scale(split_and_scale)

# %% [markdown]
# Why so strict? Let's do it wrong, on purpose, and measure. The task: from 24 months of CO2, forecast
# the value a year after. The network is a small one of scikit-learn, with sigmoids. Once it is scaled
# with the statistics of the training part, once with those of the *whole* series. Nothing else
# changes: the same windows to learn from, the same test.

# %%
from sklearn.neural_network import MLPRegressor

x_co2, y_co2 = windows.rolling_windows(co2, 24, 12)  # those from above
n = int(0.7 * len(co2))
start = np.arange(len(x_co2))
known, later = start + 24 + 12 <= n, start + 24 >= n  # windows and targets before, targets after
for name, seen in [("training part", co2[:n]), ("whole series", co2)]:
    mean, std = np.mean(seen), np.std(seen)
    scaled_x, scaled_y = (x_co2 - mean) / std, (y_co2[:, -1] - mean) / std
    errors = []
    for seed in range(3):
        network = MLPRegressor(
            hidden_layer_sizes=[32],
            activation="logistic",
            learning_rate_init=0.01,
            random_state=seed,
        )
        network.fit(scaled_x[known], scaled_y[known])
        errors.append(network.predict(scaled_x[later]) - scaled_y[later])
    rmse = std * np.sqrt(np.mean(np.square(errors), axis=1))
    print(f"scaled with the {name:14} RMSE for three seeds:", rmse.round(2), "ppm")

# %% [markdown]
# The second looks far better, and is a deception. Its scaler has seen how high CO2 will rise, and put
# the future right where the sigmoids work best. In real life nobody could have told it. (With other
# networks the leak can make less difference, or even harm. It is wrong all the same: you no longer
# know what your score means.)
#
# The second leak is greater still: **shuffling windows before the split**. Windows overlap, so a
# test window then has a twin in the training part, shifted by a month, whose targets are nearly its
# own. Any method that looks for similar cases will shine. Ours does nothing else: it finds the most
# similar window it knows, and answers with what came after that one.


# %%
mixed, cut = np.random.default_rng(8).permutation(len(x_co2)), np.sum(known)
for name, old, new in [
    ("split in time", known, later),
    ("shuffled, then split", mixed[:cut], mixed[-np.sum(later) :]),
]:
    distance = np.sum((x_co2[new][:, None] - x_co2[old]) ** 2, axis=-1)
    answers = y_co2[old][distance.argmin(axis=1)]
    print(f"{name:21} RMSE {np.sqrt(np.mean((answers - y_co2[new]) ** 2)):5.2f} ppm")

# %% [markdown]
# In truth it can't forecast at all: with a rising trend no old window is like a new one. With
# shuffled windows it looks excellent. **Split in time, before anything else.**

# %% [markdown]
# ## Rolling windows
#
# A network wants pairs: what it sees, and what it should say. So a window of `n_in` values slides
# along the series, and the `n_out` values right after it are its target. With the 14 values 1 to 14,
# windows of 7, one value to forecast, and a stride of 2:
#
#     1  2  3  4  5  6  7 | 8
#           3  4  5  6  7  8  9 | 10
#                 5  6  7  8  9 10 11 | 12
#                       7  8  9 10 11 12 13 | 14
#
# The windows start at the indices 0, 2, 4 and 6, at the values 1, 3, 5 and 7. A fifth wouldn't fit.

# %% [markdown]
# ### Exercise 2: rolling windows
#
# Write `rolling_windows(series, n_in, n_out, stride)` for a series `(n,)` or, with d variables,
# `(n, d)`. Return two arrays `(x, y)`:
#
# - `x` has the shape `(m, n_in)` or `(m, n_in, d)`; its row k is
#   `series[k * stride : k * stride + n_in]`,
# - `y` has the shape `(m, n_out)` or `(m, n_out, d)`; its row k holds the `n_out` values that follow,
# - m is the number of windows that fit together with their target.
#
# For `np.arange(1, 15)`, 7, 1 and 2 `x` is `(4, 7)` and `y` is `[[8], [10], [12], [14]]`. If not even
# one pair fits, return empty arrays or raise a `ValueError`.
#
# <details><summary>Hint 1</summary>
#
# The last possible start is n - n_in - n_out. How many multiples of the stride are there from 0 up to
# it, both included? It is the formula of the convolution's output again (lab 03).
# </details>
# <details><summary>Hint 2</summary>
#
# `starts = range(0, n - n_in - n_out + 1, stride)`, then two lists of slices, and `np.array` of each.
# </details>


# %% tags=["exercise:rolling_windows"]
def rolling_windows(series, n_in, n_out, stride):
    """Return windows (m, n_in[, d]) and the values after each, (m, n_out[, d])."""
    ### BEGIN SOLUTION
    series = np.asarray(series)
    if len(series) < n_in + n_out:
        raise ValueError(f"{len(series)} values are too few for {n_in} + {n_out}.")
    starts = range(0, len(series) - n_in - n_out + 1, stride)
    x = np.array([series[s : s + n_in] for s in starts])
    y = np.array([series[s + n_in : s + n_in + n_out] for s in starts])
    return x, y
    ### END SOLUTION


# %% tags=["check:rolling_windows:2", "nbval-check-output"]
check.rolling_windows(rolling_windows)

# %% [markdown]
# Windows overlap, so a copy of each multiplies the memory: by 64, for windows of 64. It isn't
# necessary. `np.lib.stride_tricks.sliding_window_view` makes a *view*: an array that looks into the
# memory of the series. The course's `helpers.windows` uses it. Below, a million steps of five
# variables.

# %%
series = np.zeros((1_000_000, 5), "float32")
x, y = windows.rolling_windows(series, 64, 24)
print(f"windows {x.shape}: {x.nbytes / 1e6:,.0f} MB if they were copied")
print(f"series: {series.nbytes / 1e6:,.0f} MB, the same memory: {np.shares_memory(x, series)}")

# %% [markdown]
# The windows cost nothing. (`fit` would copy what it gets: give it such a series piece by piece.)

# %% [markdown]
# ### The smallest forecast
#
# Before real data, try everything on a series whose future you know. Here it is a smooth function of
# t, a wave on a slope, for t from -10 to 10, the 10 left out. A tiny dense network gets windows of
# three values and forecasts the next. Its last window ends just before t = 10: what will it say for
# t = 10?


# %%
import keras
from keras import layers

keras.utils.set_random_seed(8)
t = np.arange(-10, 10, 0.1)
smooth = np.sin(t) + 0.1 * t
x, y = windows.rolling_windows(smooth, 3, 1)
network = keras.Sequential([layers.Dense(16, activation="tanh"), layers.Dense(1)])
network.compile(keras.optimizers.Adam(0.01), "mse")
network.fit(x, y, epochs=60, verbose=0, callbacks=training.progress())
forecast = network.predict(smooth[None, -3:], verbose=0).item()
print(f"{len(x)} windows; at t = 10 forecast {forecast:.3f}, truth {np.sin(10) + 1:.3f}")

# %% [markdown]
# Close, though it never saw t at all, only three values. That is the whole method. What remains is to
# ask whether it is any *good*.

# %% [markdown]
# ## What a forecast must beat
#
# An error alone means nothing. Three forecasts cost nothing:
#
# - **persistence**: it stays as it is now,
# - **seasonal naive**: it will be as it was a year before,
# - **monthly mean** (climatology): it will be as this month of the year was on average, over the
#   training part.
#
# From here on the task is the sea temperature: from 24 months forecast the value **three months
# ahead**. The last 30 % of the months are the test, and all is scaled with the part before. An error
# times the deviation is in degrees again.


# %%
N_IN, AHEAD = 24, 3


def make_pairs(series, ahead, share=0.7):
    """Return scaled windows and what follows, (m, N_IN) and (m, ahead), to learn and to test."""
    series = np.asarray(series)
    n = int(share * len(series))
    scaled = (series - series[:n].mean()) / series[:n].std()
    x, y = windows.rolling_windows(scaled, N_IN, ahead)
    start = np.arange(len(x))
    old, new = start + N_IN + ahead <= n, start + N_IN >= n
    return x[old], y[old], x[new], y[new]


# %% [markdown]
# Each of the three is an array with one forecast for each window of the test. `usual` holds the
# monthly means as a series as long as `sst`, so that the same function cuts it. Which of the three
# will be best, which worst?

# %%
x_train, y_train, x_test, y_test = make_pairs(sst, AHEAD)
y_train, y_test = y_train[:, -1:], y_test[:, -1]
part = sst.iloc[: int(0.7 * len(sst))]
center, deviation = part.mean(), part.std(ddof=0)
usual = part.groupby(part.index.month).mean()  # of each month of the year
usual = (usual[sst.index.month].to_numpy() - center) / deviation  # as a series beside sst
usual_after = windows.rolling_windows(usual, N_IN, AHEAD)[1][-len(y_test) :]
forecasts = {
    "persistence": x_test[:, -1],
    "seasonal naive": x_test[:, AHEAD - 13],
    "monthly mean": usual_after[:, -1],
}
print(f"{len(x_train)} windows to learn from, {len(x_test)} for the test")
for name, forecast in forecasts.items():
    print(f"{name:15} RMSE {deviation * np.sqrt(np.mean((forecast - y_test) ** 2)):.2f} °C")

# %% [markdown]
# (Twelve months before the target is nine months before the end of the window, the tenth value from
# behind: index 3 - 13 = -10.) Persistence errs by degrees: in three months the season moves on. The
# seasonal naive forecast is a weak reference, though it is so widely used: it repeats whatever was
# odd about the year before. The mean over many years is much better.

# %% [markdown]
# ### Exercise 3: skill
#
# The **skill** of a forecast says what share of the reference's error it removes (Murphy 1988):
#
# $$\text{skill} = 1 - \frac{\mathrm{MSE}(\text{forecast})}{\mathrm{MSE}(\text{reference})}$$
#
# It is 1 for a perfect forecast, 0 for one that is as good as the reference, negative for a worse
# one. It has no unit: whether the values are scaled or in degrees makes no difference. Write
# `skill(truth, forecast, reference)` for three arrays of the same shape.
#
# With truth `[1, 2]`, forecast `[1, 1]` and reference `[3, 2]` the mean squared errors are 0.5 and 2,
# so the skill is 0.75.
#
# <details><summary>Hint</summary>
#
# Take the mean of each squared error first, then divide: not the other way round.
# </details>


# %% tags=["exercise:skill"]
def skill(truth, forecast, reference):
    """Return the part of the reference's mean squared error that the forecast removes."""
    ### BEGIN SOLUTION
    truth = np.asarray(truth)
    error = np.mean((np.asarray(forecast) - truth) ** 2)
    return 1 - error / np.mean((np.asarray(reference) - truth) ** 2)
    ### END SOLUTION


# %% tags=["check:skill", "nbval-check-output"]
check.skill(skill)

# %% [markdown]
# ### Autoregression
#
# The classic of forecasting is **autoregression** of order p, AR(p): the next value is a constant plus
# a weighted sum of the last p values (the *lags*),
#
# $$y_t = c + w_1\, y_{t-1} + w_2\, y_{t-2} + \dots + w_p\, y_{t-p}$$
#
# Yule invented it in 1927, for the sunspots. It is one linear neuron on a rolling window, and its
# weights need no training: least squares gives the best ones at once.

# %% [markdown]
# ### Exercise 4: autoregression
#
# Write `autoregression(series, p)` for a series `(n,)`. Return an array `(p + 1,)`: the constant,
# then the weights of lag 1, lag 2, up to lag p, which make the sum of squared errors over all
# t = p, ..., n - 1 as small as possible.
#
# The series `[8, 4, 2, 1]` halves with each step: `autoregression([8, 4, 2, 1], 1)` is `[0, 0.5]`.
#
# <details><summary>Hint 1</summary>
#
# Build a matrix with a row for each t: a 1, then y[t-1], ..., y[t-p]. The newest value comes first!
# </details>
# <details><summary>Hint 2</summary>
#
# `np.linalg.lstsq(matrix, targets)[0]` are the weights. The column of lag k is
# `series[p - k : n - k]`, and the targets are `series[p:]`.
# </details>


# %% tags=["exercise:autoregression"]
def autoregression(series, p):
    """Return the constant and the weights of lag 1 to p by least squares, (p + 1,)."""
    ### BEGIN SOLUTION
    series, n = np.asarray(series, dtype=float), len(series)
    lags = [series[p - k : n - k] for k in range(1, p + 1)]
    matrix = np.stack([np.ones(n - p), *lags], axis=1)
    return np.linalg.lstsq(matrix, series[p:])[0]
    ### END SOLUTION


# %% tags=["check:autoregression:2", "nbval-check-output"]
check.autoregression(autoregression)

# %% [markdown]
# The library statsmodels has it as `AutoReg`. Here are the weights for all the sunspots, with order 9.
# Which lags get the large ones?

# %%
from statsmodels.tsa.api import AutoReg

spots = sunspots.to_numpy()
weights = AutoReg(spots, 9).fit().params
print("constant", weights[0].round(2), "  lags 1 to 9", weights[1:].round(2))
print("yours is the same:", np.allclose(weights, autoregression(spots, 9)))

# %% [markdown]
# Last year counts most, the year before with a minus (what rose will go on, but not forever), and lag
# 9 speaks for the cycle.
#
# For three months ahead there are two ways. Either step by step, feeding the forecast back: we come
# to that. Or **directly**: least squares with the value three months later as the target. That is
# what the networks will do, so we do it here too. How many lags does the sea need?

# %%
skills = {name: skill(y_test, f, x_test[:, -1]) for name, f in forecasts.items()}
for p in (1, 2, 12, 24):
    matrix, matrix_test = (np.insert(w[:, -p:], 0, 1, axis=1) for w in (x_train, x_test))
    forecasts[f"AR({p})"] = matrix_test @ np.linalg.lstsq(matrix, y_train[:, 0])[0]
    skills[f"AR({p})"] = skill(y_test, forecasts[f"AR({p})"], x_test[:, -1])
for name, value in skills.items():
    print(f"{name:15} skill {value:6.3f}")

# %% [markdown]
# With two lags it knows where the season is heading; with a year or two of them it beats the monthly
# mean, too, since it also knows whether this year is warm. **This is what a network has to beat.**
#
# Two more classics that you will meet, both with a hidden state, as a recurrent network has one:
# in a *linear dynamical system* the state is a vector that moves linearly (Kalman 1960), in a *hidden
# Markov model* it is one of a few values, and jumps from one to another (Rabiner 1989).

# %% [markdown]
# ## Networks
#
# Now the networks: the same windows, scaled with the training part; the same 30 epochs, the same
# optimizer:
#
# - *MLP*: a dense layer of 32 on the flat window,
# - *CNN*: 1-D convolutions with 16 and 32 kernels, global average, a dense layer of 32,
# - *SimpleRNN*, *GRU*, *LSTM* with 32 units (lab 07),
# - *stacked LSTM*: two layers; *bidirectional LSTM*: 16 units forwards and 16 backwards. (Reading
#   backwards is no leak here: it reads the past, which is all known.)
#
# All of them forecast the **change** from the last value: the model adds the last value to what the
# network says. So a network that says 0 is persistence, and it needs to learn only what is new. For
# comparison, one MLP has to forecast the level itself.


# %%
def forecaster(*stack, change=True):
    """Return a model of a stack of layers, from windows (m, N_IN, 1) to forecasts (m, k)."""
    window = keras.Input((N_IN, 1))
    forecast = window
    for layer in stack:
        forecast = layer(forecast)
    return keras.Model(window, window[:, -1] + forecast if change else forecast)


def train(model, x, y, epochs=30):
    """Train on windows (m, N_IN) and targets (m, k), at a rate that falls along a cosine."""
    falling = keras.optimizers.schedules.CosineDecay(0.005, epochs * -(-len(x) // 32))
    model.compile(keras.optimizers.Adam(falling), "mse")
    model.fit(x[..., None], y, epochs=epochs, verbose=0)
    return model


def predict(model, x):
    """Return the forecasts (m, k) of a model for windows (m, N_IN)."""
    return keras.ops.convert_to_numpy(model(x[..., None]))


# %% [markdown]
# ### Exercise 5: who wins?
#
# The table will list the skill, against persistence, of these fifteen: `"persistence"`,
# `"seasonal naive"`, `"monthly mean"`, `"AR(1)"`, `"AR(2)"`, `"AR(12)"`, `"AR(24)"`, and the networks
# `"MLP, level"`, `"MLP"`, `"CNN"`, `"SimpleRNN"`, `"GRU"`, `"LSTM"`, `"stacked LSTM"`,
# `"bidirectional LSTM"`. Which comes first? Think of what is linear in this series, and of how few
# windows there are. Write the name, with its quotes, in place of `None` (and delete the dots)
# **before** you train. Whatever comes within 0.02 of the best counts as right: another start of the
# weights moves a network by as much.
#
# <details><summary>Hint</summary>
#
# Most of it is the season and how warm the year is: that is linear. For the little that isn't, a network
# that reads the values one after the other has fewer ways to go wrong with a few hundred windows.
# </details>

# %% tags=["exercise:winner"]
winner = None
### BEGIN SOLUTION
winner = "GRU"
### END SOLUTION

# %% [markdown]
# Training all of them takes 40 to 60 seconds.

# %%
stacks = {  # functions, which make new layers when they are called
    "MLP, level": lambda: [layers.Flatten(), layers.Dense(32, activation="relu")],
    "MLP": lambda: [layers.Flatten(), layers.Dense(32, activation="relu")],
    "CNN": lambda: [
        layers.Conv1D(16, 3, padding="same", activation="relu"),
        layers.Conv1D(32, 3, padding="same", activation="relu"),
        layers.GlobalAveragePooling1D(),
        layers.Dense(32, activation="relu"),
    ],
    "SimpleRNN": lambda: [layers.SimpleRNN(32)],
    "GRU": lambda: [layers.GRU(32)],
    "LSTM": lambda: [layers.LSTM(32)],
    "stacked LSTM": lambda: [layers.LSTM(32, return_sequences=True), layers.LSTM(32)],
    "bidirectional LSTM": lambda: [layers.Bidirectional(layers.LSTM(16))],
}
for name, make_stack in training.track(list(stacks.items())):
    keras.utils.set_random_seed(8)  # before the layers are made: they draw their weights from it
    model = forecaster(*make_stack(), layers.Dense(1), change="level" not in name)
    train(model, x_train, y_train)
    forecasts[name] = predict(model, x_test)[:, 0]
    skills[name] = skill(y_test, forecasts[name], x_test[:, -1])

for name, value in skills.items():
    print(f"{name:20}{value:7.3f}  {'#' * round(40 * max(value, 0))}")

# %% tags=["check:winner"]
check.winner(winner, skills)

# %% [markdown]
# First, what does chance do? The same SimpleRNN again, from two other seeds: another start of the
# weights, nothing else. It takes about ten seconds. Then a look at the forecasts themselves. Can you
# tell the two lines of AR and GRU apart? (Look at early 1998.)

# %%
for seed in (0, 1):
    keras.utils.set_random_seed(seed)
    model = train(forecaster(layers.SimpleRNN(32), layers.Dense(1)), x_train, y_train)
    again = skill(y_test, predict(model, x_test)[:, 0], x_test[:, -1])
    print(f"SimpleRNN, another seed {again:.3f}")

figure, axis = plt.subplots(figsize=(7.5, 2.8))
when = sst.index[-len(y_test) :]
for name, style, color in [
    ("persistence", "--", plots.SKY),
    ("AR(24)", "-", plots.BLUE),
    ("GRU", "-", plots.VERMILION),
]:
    level = deviation * forecasts[name] + center
    axis.plot(when, level, style, color=color, linewidth=1.2, label=name)
axis.plot(when, deviation * y_test + center, color=plots.BLACK, linewidth=1.2, label="measured")
axis.set(ylabel="SST (°C)", xlabel="year", xlim=(when[24], when[108]))
axis.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1))
plots.show(
    figure,
    alt="Seven years of measured sea temperature and three forecasts made three months before. "
    "Persistence has the right shape three months too late. AR and GRU follow the season closely, and "
    "both stay degrees below the warm second half of 1997.",
)

# %% [markdown]
# Read the table with the spread over seeds in mind:
#
# - **SimpleRNN, GRU, LSTM and stacked LSTM** come first, and lie as close together as the seeds of
#   one of them: a tie. The second layer costs time and brings nothing.
# - **AR(24), the bidirectional LSTM and the MLPs follow closely.** AR(24) has 25 weights and needs
#   no training. On a short series you can expect such a result, so always fit it first.
# - The **CNN** is last of the networks. Its global average keeps *what* was in the window and
#   forgets *when*, and the season is a question of when. In some runs it doesn't even reach the
#   monthly mean.
# - Whether it forecasts the change or the level makes no difference for the MLP here.
# - The **monthly mean** beats both seasonal naive and AR(2) by far. With it as the reference, what the
#   others gain would look a good deal smaller: a skill is worth as much as its reference.
#
# (We compare on the test, and choose nothing by it. To choose, keep the last part of the training
# months for validation, as in lab 02.)
#
# And neither AR nor the GRU foresees how warm 1997 becomes: three months before, the window doesn't
# tell.
#
# Is a recurrent network always better, then? The same recipe for the other two series, again three
# steps ahead, beside AR(24) for CO2 and AR(9) for the sunspots. And once more with windows
# *relative* to their last value: it is subtracted from the whole window before the network sees it,
# and added to the forecast at the end. CO2 has a trend, the sunspots have none: which of the two will
# need this? Each network is trained from two starts of its weights. It takes 40 to 60 seconds.

# %%
for name, series, lags in training.track([("CO2", co2, 24), ("sunspots", sunspots, 9)]):
    x, y, x_new, y_new = make_pairs(series, AHEAD)
    y, y_new, last = y[:, -1:], y_new[:, -1:], x_new[:, -1:]
    matrix, matrix_new = (np.insert(w[:, -lags:], 0, 1, axis=1) for w in (x, x_new))
    found = {f"AR({lags})": [matrix_new @ np.linalg.lstsq(matrix, y)[0]]}
    for kind, shift, shift_new in [("GRU", 0, 0), ("GRU, relative", x[:, -1:], last)]:
        found[kind] = []
        for seed in (8, 0):
            keras.utils.set_random_seed(seed)
            model = train(forecaster(layers.GRU(32), layers.Dense(1)), x - shift, y - shift)
            found[kind].append(predict(model, x_new - shift_new) + shift_new)
    for kind, tries in found.items():
        print(f"{name:8} {kind:13} skill", *(f"{skill(y_new, f, last):7.3f}" for f in tries))

# %% [markdown]
# On CO2 **AR beats the plain GRU by far**, though the GRU only has to forecast the change. How far
# depends on the start: the two skills differ widely, and a skill below 0 is worse than persistence,
# worse than saying that nothing changes. Probably this is why: the windows of the test hold values
# above all that the GRU learned from, where sigmoid and tanh are flat, and nothing told it what to
# say there. A linear model doesn't mind. Once the windows are relative, a rise looks the same at
# any level, and the GRU is as good as AR. On the sunspots the plain GRU and AR(9) tie, and the
# relative one is worse: where there is no trend, the level itself tells something. So look at the
# series first, and never report a network without AR.

# %% [markdown]
# ## Several steps ahead
#
# Often the whole path is wanted: each of the next twelve months. There are three ways:
#
# - **recursive**: a model for one step forecasts, its forecast is appended to the window, and so on,
# - **direct**: the last layer has twelve outputs,
# - **encoder-decoder**: a recurrent layer sums the window up in its state, `RepeatVector(12)` hands it
#   to twelve steps of a second one, which writes the path.

# %% [markdown]
# ### Exercise 6: a recursive forecast
#
# Write `recursive_forecast(model, window, n_out)`. `model` is a function: for windows `(m, n_in)` it
# returns the next value of each, `(m, 1)` or `(m,)`. `window` is *one* window `(n_in,)`. Forecast the
# next value, append it, drop the oldest, and repeat, until you have the array `(n_out,)` of forecasts.
# Leave `window` itself as it is.
#
# With a model that returns the sum of the window, `[1, 2]` and `n_out = 3`: first 1 + 2 = 3, the window
# becomes `[2, 3]`; then 5, then 8. The result is `[3, 5, 8]`.
#
# <details><summary>Hint 1</summary>
#
# The model wants a batch: `window[None]` has the shape `(1, n_in)`. `np.ravel(...)[0]` takes one number
# out of either shape.
# </details>
# <details><summary>Hint 2</summary>
#
# `window = np.append(window[1:], value)` makes a *new* array, with the oldest value gone.
# </details>


# %% tags=["exercise:recursive_forecast"]
def recursive_forecast(model, window, n_out):
    """Return the next n_out values, (n_out,), each forecast from the ones before."""
    ### BEGIN SOLUTION
    window, path = np.array(window, dtype=float), []
    for _ in range(n_out):
        value = np.ravel(model(window[None]))[0]
        window = np.append(window[1:], value)
        path.append(value)
    return np.array(path)
    ### END SOLUTION


# %% tags=["check:recursive_forecast:2", "nbval-check-output"]
check.recursive_forecast(recursive_forecast)

# %% [markdown]
# All three ways with GRUs of 32 units, and the recursive one with AR(24), too. Before you run it: where
# would you expect a recursive forecast to be worse than a direct one, near or far? It takes about half
# a minute.

# %%
x_year, y_year, x_year_test, y_year_test = make_pairs(sst, 12)
keras.utils.set_random_seed(8)
models = {
    "GRU, one step": forecaster(layers.GRU(32), layers.Dense(1)),
    "GRU, direct": forecaster(layers.GRU(32), layers.Dense(12)),
    "GRU, encoder-decoder": forecaster(
        layers.GRU(32),
        layers.RepeatVector(12),
        layers.GRU(32, return_sequences=True),
        layers.Dense(1),  # of each step
        layers.Flatten(),
    ),
}
for model in training.track(list(models.values())):
    train(model, x_year, y_year[:, : model.output.shape[1]])

# %% [markdown]
# Now your function makes the recursive forecasts, one path for each window of the test. The network
# is called twelve times for each, the AR model too. It takes about ten seconds.

# %%
weights = AutoReg((part.to_numpy() - center) / deviation, N_IN).fit().params
one_step = {
    "AR(24), recursive": lambda w: weights[0] + w[:, ::-1] @ weights[1:],
    "GRU, recursive": lambda w: models["GRU, one step"].predict_on_batch(w[..., None]),
}
paths = {
    "seasonal naive": x_year_test[:, -12:],
    "monthly mean": windows.rolling_windows(usual, N_IN, 12)[1][-len(x_year_test) :],
}
for name, model in training.track(list(one_step.items())):
    paths[name] = np.array([recursive_forecast(model, window, 12) for window in x_year_test])
for name in ("GRU, direct", "GRU, encoder-decoder"):
    paths[name] = predict(models[name], x_year_test)

# %% [markdown]
# For each way, the error by **lead time**: how many months lie between the last value of the window
# and the month that is forecast. The two seasonal forecasts are the bars to stay below.

# %%
figure, axis = plt.subplots(figsize=(7.5, 3.4))
for (name, path), marker in zip(paths.items(), ".xso^v", strict=True):
    error = deviation * np.sqrt(np.mean((path - y_year_test) ** 2, axis=0))
    print(f"{name:22} RMSE 1, 3, 6, 12 months ahead:", error[[0, 2, 5, 11]].round(2), "°C")
    axis.plot(np.arange(1, 13), error, marker=marker, label=name)
axis.set(xlabel="lead time (months)", ylabel="RMSE (°C)", xticks=range(1, 13), ylim=(0, None))
axis.legend(fontsize=9)
plots.show(
    figure,
    alt="RMSE against the lead time of one to twelve months for six forecasts. Seasonal naive is flat and "
    "highest, the monthly mean flat at three quarters of it. The others begin at less than a third of "
    "seasonal naive, reach the monthly mean after about half a year and then rise a little above it.",
)

# %% [markdown]
# AR and the networks begin far below the two seasonal forecasts, since the last months tell how warm
# the sea is. After half a year nothing is left of what the window knew: **the mean of the month is as
# good or better.** Against seasonal naive alone they would have looked fine up to the end.
#
# A recursive forecast feeds on its own errors, so one expects it to be worse far ahead. Here this is
# not seen: far ahead the recursive ones are even a little better than the direct one. The model for one
# step had the easier thing to learn, and what limits all of them is the sea. A recursive forecast can
# also go on as long as you like; a direct one must learn each month anew; an encoder-decoder pays off
# when the path is long, or when something is known about the steps to come.

# %% [markdown]
# ## Stateful networks
#
# A window of 24 steps knows nothing of step 25. Longer windows cost time and memory. There is another
# way: a recurrent network has a state, so let it **keep the state** from one window to the next. In
# Keras such a layer has `stateful=True`. Then the batches must be made so that they continue: cut the
# long series into as many *stretches* as a batch has rows, and give each row its own stretch, piece by
# piece. With 12 steps, a batch of 2 rows and windows of 3:
#
#     batch 0    row 0:  0  1  2      row 1:  6  7  8
#     batch 1    row 0:  3  4  5      row 1:  9 10 11

# %% [markdown]
# ### Exercise 7: fold
#
# Write `fold(series, batch, steps)` for a series `(n,)` or `(n, d)`. It returns `(k, batch, steps)`
# or `(k, batch, steps, d)`: k batches, such that row i of batch j + 1 continues row i of batch j.
# There are `k = n // (batch * steps)` batches; a stretch has the length `L = k * steps`, and
# stretch i begins at `i * L`. What is left at the end of the series is dropped.
#
# `fold(np.arange(13), 2, 3)` is `[[[0, 1, 2], [6, 7, 8]], [[3, 4, 5], [9, 10, 11]]]`.
#
# <details><summary>Hint 1</summary>
#
# A plain `reshape(k, batch, steps)` makes row 1 continue row 0. Reshape to the *stretches* first: which
# axis must come first in it?
# </details>
# <details><summary>Hint 2</summary>
#
# `reshape(batch, k, steps, ...)` has stretch, window, step. Then swap the first two axes.
# </details>


# %% tags=["exercise:fold"]
def fold(series, batch, steps):
    """Return (k, batch, steps[, d]): each row of a batch continues the same row of the last."""
    ### BEGIN SOLUTION
    series = np.asarray(series)
    k = len(series) // (batch * steps)
    stretches = series[: batch * k * steps].reshape(batch, k, steps, *series.shape[1:])
    return np.swapaxes(stretches, 0, 1)
    ### END SOLUTION


# %% tags=["check:fold:2", "nbval-check-output"]
check.fold(fold)

# %% [markdown]
# Now Keras. A stateful layer must know the size of the batch, because it keeps a state for each
# row: `batch_shape=(batch, steps, features)`. With TensorFlow `layers.LSTM(8, stateful=True)` is
# all. On other backends Keras 3.15 needs help: with JAX it loses the states, with PyTorch it can't
# train. The small class below mends both, so that you may use any; you needn't study it.


# %%
class KeepsState:
    """Carries the states of a recurrent layer from batch to batch on every backend."""

    def __init__(self, units, **options):
        super().__init__(units, use_cudnn=False, **options)  # PyTorch needs the plain loop

    def build(self, shape):
        super().build(shape)
        self.kept = list(self.states or [])  # so they count among the layer's variables


class LSTM(KeepsState, layers.LSTM):
    """An LSTM whose states are kept on every backend."""


class GRU(KeepsState, layers.GRU):
    """A GRU whose states are kept on every backend."""


def copy_weights(source, target):
    """Copy what was learned, but not the states, to a network of another batch size."""
    for old, new in zip(source.trainable_variables, target.trainable_variables, strict=True):
        new.assign(keras.ops.convert_to_numpy(old))


# %% [markdown]
# The proof. A stateful LSTM gets four stretches as six batches of five steps. A second LSTM with the
# same weights, not stateful, gets each stretch in one pass of thirty steps. If the state is carried
# over, the outputs are the same. We make the pass through the batches three times: fresh, again
# without a reset, and after `reset_state()`, which sets the states to zero.

# %%
random = np.random.default_rng(8)
noise = random.normal(size=4 * 6 * 5).astype("float32")
batches = np.asarray(fold(noise[:, None], 4, 5))
stateful = keras.Sequential(
    [keras.Input(batch_shape=(4, 5, 1)), LSTM(8, stateful=True, return_sequences=True)]
)
plain = keras.Sequential([keras.Input((None, 1)), LSTM(8, return_sequences=True)])
copy_weights(stateful, plain)
whole = plain.predict(noise.reshape(4, 30, 1), verbose=0)
for name in ("fresh", "again, without a reset", "again, after a reset"):
    if "after" in name:
        stateful.layers[0].reset_state()
    pieces = np.concatenate([stateful.predict_on_batch(part) for part in batches], axis=1)
    gaps = np.abs(pieces - whole).max(axis=(0, 2))
    some = "  ".join(f"{gaps[step]:.5f}" for step in (0, 3, 10, 29))
    print(f"{name:22}  largest difference {gaps.max():.5f}, at steps 0, 3, 10, 29:  {some}")

# %% [markdown]
# Six batches with the state carried over give the same as one pass. Without a reset each row begins
# with the memory of the *end* of its stretch: the first outputs are wrong, until the old memory
# fades. So:
#
# - **reset before each new series**, and before each new epoch, when the series begins again,
# - **never shuffle**: `fit(..., shuffle=False)`,
# - and don't reset anywhere else.

# %% [markdown]
# ## Remember the last marker
#
# Is it worth the trouble? A test that only a long memory can pass. A long stream of small noise has a
# **marker** now and then, +1 or -1, 50 to 150 steps apart. At each step the question is: was the last
# marker a plus? The network gets windows of **ten** steps.


# %%
def make_stream(n, rng):
    """Return the stream, the answer (1 after a plus, 0 after a minus), and steps since a marker."""
    places = np.cumsum(rng.integers(50, 151, size=n // 50))
    places = np.insert(places[places < n], 0, 0)
    signs = rng.choice([-1, 1], size=len(places))
    stream = rng.normal(0, 0.1, size=n)
    stream[places] += signs
    last = np.searchsorted(places, np.arange(n), side="right") - 1
    return (
        stream.astype("float32"),
        (signs[last] > 0).astype("float32"),
        np.arange(n) - places[last],
    )


# %% [markdown]
# Six hundred steps of such a stream. The tall lines are the markers; where the background is orange,
# the right answer is "plus". Could you give it if you saw ten steps only?

# %%
rng = np.random.default_rng(8)
stream, answer, _ = make_stream(64_000, rng)
new_stream, new_answer, since = make_stream(32_000, rng)
figure, axis = plt.subplots(figsize=(7.5, 2))
steps = np.arange(1200, 1800)
axis.plot(steps, stream[steps], linewidth=0.8, color=plots.BLACK)
axis.fill_between(
    steps, -1.3, 1.3, where=answer[steps] > 0, color=plots.ORANGE, alpha=0.4, step="post"
)
axis.set(xlabel="step", ylabel="stream")
plots.show(
    figure,
    alt="Six hundred steps of small noise with seven tall lines up or down. After a line up the "
    "background is orange, until a line down.",
)

# %% [markdown]
# ### Exercise 8: without a state
#
# A GRU that is *not* stateful starts each window of ten steps with an empty memory. At what share of
# the steps will it give the right answer? Write a number from 0 to 1 in place of `None` (and delete
# the dots) **before** you train. Within 0.1 counts as right.
#
# <details><summary>Hint</summary>
#
# How many windows of ten hold a marker, if markers are a hundred steps apart on average? And what can it
# say in all the others?
# </details>

# %% tags=["exercise:stateless"]
stateless = None
### BEGIN SOLUTION
stateless = 0.55
### END SOLUTION

# %% [markdown]
# Both networks have the same layers, batches of 32 rows, and the same epochs. The stateful one gets
# its batches in order and is reset before each epoch; the other may shuffle. At the beginning of a
# stretch, before its first marker, nobody can know the answer: in the test these steps don't count. It
# takes 30 to 40 seconds.

# %%
ROWS, STEPS, EPOCHS = 32, 10, 10


def rows(series):
    """Return the folded batches, one below the other, as `fit` wants them: (k * ROWS, STEPS, 1)."""
    return np.asarray(fold(series[:, None], ROWS, STEPS)).reshape(-1, STEPS, 1)


def recurrent(batch, steps, stateful):
    """Return a compiled network that answers at each step."""
    network = keras.Sequential(
        [
            keras.Input(batch_shape=(batch, steps, 1)),
            GRU(16, stateful=stateful, return_sequences=True),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    network.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    return network


# %%
position = np.arange(32_000) % (32_000 // ROWS)  # of each step in its stretch
fair = rows(since) <= rows(position)
networks, right = {}, {}
for name in ("stateless", "stateful"):
    keras.utils.set_random_seed(8)
    network = networks[name] = recurrent(ROWS, STEPS, name == "stateful")
    for _ in training.track(range(EPOCHS)):
        network.layers[0].reset_state()
        network.fit(rows(stream), rows(answer), ROWS, shuffle=name == "stateless", verbose=0)
    network.layers[0].reset_state()
    said = network.predict(rows(new_stream), ROWS, verbose=0)
    right[name] = ((said > 0.5) == rows(new_answer))[fair]
    print(f"{name:10} right at {right[name].mean():.1%} of the steps")

# %% tags=["check:stateless"]
check.stateless(stateless, right["stateless"].mean())

# %% [markdown]
# The stateless network is right little more often than a coin. The stateful one has learned it, though
# no window ever showed it a marker and an answer fifty steps apart! How does it do that? Within
# windows it learns that a marker sets its state, and that noise must not change it. Carried over from
# window to window, a state that doesn't change lasts forever. Next: right answers by the number of
# steps since the last marker. From where on will the stateless network be right half of the time?

# %%
distance = rows(since)[fair]
edges = np.array([0, 2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 120])
figure, axis = plt.subplots(figsize=(7, 3))
for (name, correct), color in zip(right.items(), (plots.BLUE, plots.VERMILION), strict=True):
    bins = np.digitize(distance, edges) - 1  # beyond the last edge there are few
    share = [correct[bins == k].mean() for k in range(len(edges) - 1)]
    axis.plot((edges[:-1] + edges[1:]) / 2, share, "o-", color=color)
    axis.annotate(name, (90, share[-2]), xytext=(0, -20), textcoords="offset points", color=color)
axis.axvline(STEPS, color="gray", linestyle=":")
axis.annotate("length of a window", (STEPS + 1, 0.75), color="gray")
axis.set(xlabel="steps since the last marker", ylabel="share right", ylim=(0.35, 1.02))
plots.show(
    figure,
    alt="Share of right answers against the steps since the last marker. The stateless network falls "
    "from nearly one to one half within ten steps, the length of a window. The stateful one stays high "
    "at any distance.",
)

# %% [markdown]
# Just after a marker both know the answer. For the stateless network the curve falls within ten steps:
# the farther away the marker, the more often it lies in an earlier window. From there on it is a coin.
# The curve of the stateful network doesn't fall: its memory has no length.

# %%
check.reached("share right of the stateful network", right["stateful"].mean(), at_least=0.85)

# %% [markdown]
# ### One step at a time
#
# In use, the values come one by one: a batch of one row, one step. The network was built for 32 rows of
# ten. So build it again with `batch_shape=(1, 1, 1)`, and copy the weights. It must say the same as
# before.

# %%
live = recurrent(1, 1, stateful=True)
copy_weights(networks["stateful"], live)
in_batches = said.reshape(-1, ROWS, STEPS)[:, 0].ravel()  # what the stateful one said to row 0
one_by_one = [live.predict_on_batch(v.reshape(1, 1, 1)).item() for v in new_stream[:1000]]
print(f"{len(one_by_one)} steps, largest difference {np.abs(one_by_one - in_batches).max():.1e}")

# %% [markdown]
# ## Evaluate as it will be used
#
# A forecast that is used for years won't stay as it was fitted on the first day: each year brings
# new data. **Walk-forward** evaluation does the same: fit on all that is known, forecast a year,
# note the error, add that year to what is known, and go on. Here AR(24), for CO2 and for the sea,
# begins with twenty years and forecasts twelve months each January. One version is refitted each
# year; the other keeps its first fit, and only gets the new values as input.


# %%
def walk_forward(series, years, lags=24):
    """Return forecast minus truth, with one fit and refitted: (2, years, 12)."""
    first, errors = AutoReg(series[: 12 * years], lags).fit(), []
    for end in range(12 * years, len(series), 12):
        known, truth = series[:end], series[end : end + 12]
        fits = first.apply(known), AutoReg(known, lags).fit()
        errors.append([fit.forecast(12) - truth for fit in fits])
    return np.swapaxes(errors, 0, 1)


# %% [markdown]
# Each point of the figure is the error of one year. Guess: for which of the two series does refitting
# bring more? And look for the year from which the two lines part.

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 2.8))
for axis, name, series, unit in [(axes[0], "CO2", co2, "ppm"), (axes[1], "SST", sst, "°C")]:
    when = series.index.year[240::12]
    both = zip(("one fit", "refitted"), (plots.BLUE, plots.VERMILION), strict=True)
    for (label, color), error in zip(both, walk_forward(series.to_numpy(), 20), strict=True):
        rmse, bias = np.sqrt(np.mean(error**2)), error[-10:].mean()
        print(f"{name} {label:9} RMSE {rmse:.2f}, mean of the last ten years {bias:+.2f} {unit}")
        axis.plot(when, np.sqrt(np.mean(error**2, axis=1)), ".-", color=color, label=label)
    axis.set(title=name, xlabel="year", ylabel=f"RMSE ({unit})", ylim=(0, None))
axes[0].legend()
rise = co2.groupby(co2.index.year).mean().diff(10)[[1970, 1980, 1990, 2000]] / 10
print("rise of CO2 in ppm a year, over the ten years up to", rise.round(2).to_dict())
plots.show(
    figure,
    alt="RMSE of each year's forecast. For CO2 both lines go together for ten years; from 1990 on a single "
    "fit errs more in nearly every year. For the sea temperature both lines nearly agree.",
)

# %% [markdown]
# For CO2 the first fit serves for some ten years. From about 1990 on it forecasts too **high**:
# look at the mean of forecast minus truth. In the first twenty years the rise of CO2 became steeper,
# and the fit carries that on. But in the nineties CO2 rose no faster than in the eighties (the last
# line above the figure). The refitted one has learned it, and its mean error is much smaller. For the
# sea the RMSE is nearly the same, and the bad years are those of El Niño. A score from one split
# would have told you neither. Walk-forward gives as many tests as there are years, all of them
# honest.

# %%
check.score_card()

# %% [markdown]
# ## Recap
#
# - Split in time; scale with the training part; fix the place of the split before you cut windows. A
#   leak makes any score worthless.
# - Count gaps first. Fill small ones; in a live forecast only from the past.
# - A rolling window turns a series into pairs, as views at no cost.
# - Always show persistence, the mean of the season and AR, and the skill against them. On short regular
#   series AR is hard to beat.
# - Many steps ahead: recursive, direct, or encoder-decoder.
# - A stateful network remembers beyond its window: rows that continue, no shuffling, a reset when a
#   series begins anew.
# - Walk forward: refit, forecast, note, go on.
#
# ### Go further
#
# - Forecast the sunspots, whose cycle isn't linear: is there a network that beats AR(9)? Mind the few
#   years.
# - Give the network a second input, the month as a sine and a cosine. Does it need 24 months then?
# - Repeat the table for 1 and for 6 months ahead. Who wins where?
# - Shuffle the batches of the stateful network, or don't reset it. What is left of it?
# - Markers 200 to 400 steps apart, for the network that is already trained: does it still remember?
# - Walk forward with a network. Train it anew each year, or go on training it?
#
# ### References
#
# - G. Box and G. Jenkins (1970): *Time series analysis: forecasting and control*. Holden-Day.
# - R. Hyndman and G. Athanasopoulos (2021): *Forecasting: principles and practice*, 3rd ed. OTexts.
# - U. Yule (1927): *On a method of investigating periodicities in disturbed series, with special
#   reference to Wolfer's sunspot numbers*. Philosophical Transactions A 226, 267-298.
# - A. Murphy (1988): *Skill scores based on the mean square error and their relationships to the
#   correlation coefficient*. Monthly Weather Review 116, 2417-2424.
# - S. Hochreiter and J. Schmidhuber (1997): *Long short-term memory*. Neural Computation 9, 1735-1780.
# - K. Cho et al. (2014): *Learning phrase representations using RNN encoder-decoder for statistical
#   machine translation*. EMNLP.
# - R. Kalman (1960): *A new approach to linear filtering and prediction problems*. Journal of Basic
#   Engineering 82, 35-45.
# - L. Rabiner (1989): *A tutorial on hidden Markov models and selected applications in speech
#   recognition*. Proceedings of the IEEE 77, 257-286.
# - C. D. Keeling (1960): *The concentration and isotopic abundances of carbon dioxide in the
#   atmosphere*. Tellus 12, 200-203.
