# %% [markdown]
# # Forecasting geomagnetic storms
#
# A gust of the solar wind can upset the magnetic field of the whole Earth. Can one tell an hour or
# two ahead how badly? After this lab you will be able to
#
# - describe and plot storms, and split them so that nothing leaks,
# - write down the physics of the ring current, and say how far it takes you,
# - cut windows that stay inside their storm, walk forward, and search settings on a budget,
# - find a leak from the future with a test of causality,
# - train an LSTM and a small causal network, and compare them with what was published,
# - say honestly where your forecast fails.
#
# It takes two afternoons: data and physics up to the ring current, then forecasts. The notebook
# computes for one and a half to three minutes on two CPU cores, depending on the data and the
# machine, and takes up to 1.4 GB of memory. The data are recordings of the spacecraft ACE where the
# data folder holds them, those of NASA's OMNI where downloads are allowed, or storms that the course
# makes itself: from a solar wind that is drawn at random, and equations like those of this lab. The
# first cell that loads them says which.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from helpers import data, plots, training
from helpers.checks import symh as check

pd.set_option("display.precision", 3)

# %% [markdown]
# ## What a storm is
#
# The Sun blows a wind of charged particles, and the wind carries a magnetic field. Where that field
# points south, against the field of the Earth, the two connect, and energy comes in (Dungey 1961).
# Then ions drift around the Earth at some distance: the **ring current**. Its own magnetic field
# weakens the one we measure on the ground.
#
# **SYM-H** says by how much: the disturbance of the horizontal field at middle latitudes that is
# the same all around the Earth, in nT (nanotesla), each minute (Iyemori 1990). It is essentially
# the index *Dst* (Sugiura 1964), which comes once an hour. Ours are means of five minutes. Below
# -50 nT a storm is called *moderate*, below -100 nT *intense* (Gonzalez et al. 1994, for the hourly
# Dst; five-minute values go deeper), and below -250 nT we shall call it *super*.
#
# Why forecast? The changing field drives currents through long power lines. The upper air swells
# and slows satellites down, and radio and positioning suffer. With a warning, operators can prepare.
# A warning is possible because spacecraft such as ACE (Stone et al. 1998) measure the wind at the
# point L1, some 1.5 million km from the Earth on the side of the Sun.

# %%
storms = data.storms()
storms.table.head(3)

# %% [markdown]
# The table is a `DataFrame` of pandas: `table["speed"]` is one column, `table[condition]` are the
# rows where a condition holds. A row is a step of five minutes: the storm's number, its split, the
# time (UTC), the field (`b_total` and its three components) in nT, the speed of the wind and its
# components in km/s, density in protons per cm³, temperature in K, and SYM-H in nT. *GSM* names the
# axes: x points to the Sun; z is at right angles to it, in the plane of x and the Earth's magnetic
# axis, and points north. So **southward** means that `bz_gsm` is negative.
#
# For each storm there are also an **evaluation window**, in which forecasts are judged, and the
# minimum of SYM-H inside it.

# %%
storms.windows.head(3)

# %% [markdown]
# How many storms has each split, and how intense are they? The classes exclude each other here: a
# super storm isn't counted as intense, too.

# %%
classes = pd.cut(
    storms.windows["minimum"],
    [-np.inf, -250, -100, -50, np.inf],
    labels=["super", "intense", "moderate", "weak"],
    right=False,
)
pd.crosstab(storms.windows["split"], classes)

# %% [markdown]
# Super storms are a minority, and the hours in which they are deep are fewer still. Keep that in
# mind: what happens rarely is hard to learn and hard to test.

# %% [markdown]
# ### What does a row know?
#
# Time labels are a trap. In our tables the SYM-H of a row belongs to the five minutes that
# **begin** at its time. The wind measured by ACE is a mean of the five minutes that **end** there.
# So, strictly, the SYM-H of a row is complete only five minutes after its label. The published work
# takes both as known at the time of the row. To be comparable we do the same, and say so.
# (`storms.at` tells where the wind is given: "L1", or "bow shock" for data that were shifted in
# time to the Earth already.)

# %% [markdown]
# ## Describe the series
#
# How large are the values of a column, how many are missing, and how long are the gaps? Ask this of
# any data before you model them.

# %% [markdown]
# ### Exercise 1: describe
#
# Write `describe(values)` for an array `(n,)` in which NaN stands for a missing value. Return a
# dictionary with the keys
#
# - `"minimum"`, `"maximum"`, `"mean"`, `"median"`: of the values that are there,
# - `"missing"`: the share of missing values, from 0 to 1,
# - `"longest_gap"`: the number of steps in the longest run of missing values, 0 if none is missing.
#
# For `[2, NaN, -4, NaN, NaN]` these are -4, 2, -1, -1, 0.6 and 2. The longest gap lies at the very
# end.
#
# <details><summary>Hint 1</summary>
#
# `np.isnan(values)` is true where a value is missing. NumPy has `nanmin`, `nanmean` and so on.
# </details>
# <details><summary>Hint 2</summary>
#
# For the gap go through the steps in a loop, with a counter: one more at a missing value, back to 0
# at any other. Keep the greatest count.
# </details>


# %% tags=["exercise:describe"]
def describe(values):
    """Return minimum, maximum, mean, median, share missing and longest gap of values (n,)."""
    ### BEGIN SOLUTION
    missing = np.isnan(values)
    longest = run = 0
    for is_missing in missing:
        run = run + 1 if is_missing else 0
        longest = max(longest, run)
    return {
        "minimum": np.nanmin(values),
        "maximum": np.nanmax(values),
        "mean": np.nanmean(values),
        "median": np.nanmedian(values),
        "missing": missing.mean(),
        "longest_gap": longest,
    }
    ### END SOLUTION


# %% tags=["check:describe", "nbval-check-output"]
check.describe(describe)

# %% [markdown]
# Now all columns, each over all storms. Which column has the most gaps? Where do mean and median
# differ much, and what does that say about its distribution?

# %%
columns = ["b_total", "bz_gsm", "speed", "density", "temperature", "sym_h"]
pd.DataFrame({name: describe(storms.table[name].to_numpy(float)) for name in columns}).T.round(3)

# %% [markdown]
# Density is missing most often, SYM-H never. (A gap at the end of one storm and another at the
# start of the next would count as one here.) The field's strength, density and temperature have a
# mean well above their median: a few very large values. For SYM-H it is the other way round: the
# storms are its few very low values.
#
# Gaps would be harmless if they came at random. Do they? Compare all rows with the deepest
# ones.

# %%
deep = storms.table["sym_h"] < -200
for name in ["bz_gsm", "speed", "density"]:
    missing = storms.table[name].isna()
    print(f"{name:8} missing: all {missing.mean():6.1%}, below -200 nT {missing[deep].mean():6.1%}")

# %% [markdown]
# Below -200 nT far more of speed and density is missing than elsewhere: energetic particles that
# come with strong eruptions blind the instrument. (The course's own storms copy that.) A method that
# drops rows with gaps would lose just the deepest hours.

# %% [markdown]
# ## Look at a storm
#
# Space physicists stack panels above one time axis: the cause on top, the effect at the bottom.
# Then all that happens at one time stands on one vertical line, and the eye finds what came first.

# %% [markdown]
# ### Exercise 2: the stacked plot
#
# Write `stack(storm)` for the table of one storm. Return a figure with four panels, one above the
# other, that share the time axis. From the top they show `bz_gsm` (nT), `speed` (km/s), `density`
# (cm$^{-3}$) and `sym_h` (nT), each as a line over `storm["time"]`. Each panel has a label at its y
# axis that holds the unit. Leave gaps open: matplotlib draws nothing at NaN.
#
# <details><summary>Hint 1</summary>
#
# `figure, axes = plt.subplots(4, 1, sharex=True, figsize=(8, 6))`, then a loop over four
# (axis, column, label) with `zip`.
# </details>
# <details><summary>Hint 2</summary>
#
# In labels, `"$^{-3}$"` writes an exponent. Don't forget `return figure`.
# </details>


# %% tags=["exercise:stack"]
def stack(storm):
    """Return a figure of the storm's Bz, speed, density and SYM-H, one above the other."""
    ### BEGIN SOLUTION
    figure, axes = plt.subplots(4, 1, sharex=True, figsize=(8, 6))
    labels = {
        "bz_gsm": "Bz (nT)",
        "speed": "speed (km/s)",
        "density": "density (cm$^{-3}$)",
        "sym_h": "SYM-H (nT)",
    }
    for axis, (column, label) in zip(axes, labels.items(), strict=True):
        axis.plot(storm["time"], storm[column], linewidth=1)
        axis.set_ylabel(label)
    figure.align_ylabels()
    axes[-1].set_xlabel("time (UTC)")
    return figure
    ### END SOLUTION


# %% tags=["check:stack", "nbval-check-output"]
check.stack(stack)

# %% [markdown]
# The deepest storm of the training split. Look for the order of events: what happens first, what
# last? How long does SYM-H take to fall, and how long to come back? The first line below gives
# dates short labels.

# %%
plt.rcParams["date.converter"] = "concise"
deepest = storms.windows.query("split == 'train'")["minimum"].idxmin()
example = storms.storm(deepest)
plots.show(
    stack(example),
    alt="Four panels over more than a week. The speed jumps, Bz swings far below zero, "
    "density is high, with one gap or more, and SYM-H falls hundreds of nT, to come back over days.",
)

# %% [markdown]
# The speed jumps: a **shock**, the bow wave of a cloud that the Sun has thrown out. Then Bz stays
# far below zero for hours, and SYM-H falls. As Bz returns, SYM-H comes back, much more slowly than
# it fell. Let's look closer.

# %% [markdown]
# ### Exercise 3: an interval
#
# Write `select(storm, start, end)`: the rows with `start <= time <= end`, all columns, in the same
# order. `start` and `end` are strings such as `"2001-03-31 06:00"` or time stamps of pandas; both
# compare with the column `time`. If there is no such row, raise a `ValueError`: an empty plot at
# the end of a long program is much harder to understand.
#
# From rows at 06:00, 06:05, 06:10 and 06:15, `start` 06:05 and `end` 06:10 select two.
#
# <details><summary>Hint</summary>
#
# `(condition) & (condition)` gives a series of true and false, and `storm[...]` of it the rows.
# Mind the brackets. A DataFrame has the length of its rows: `len(rows) == 0`.
# </details>


# %% tags=["exercise:select"]
def select(storm, start, end):
    """Return the rows of a storm from start to end, both included; ValueError if there are none."""
    ### BEGIN SOLUTION
    rows = storm[(storm["time"] >= start) & (storm["time"] <= end)]
    if len(rows) == 0:
        raise ValueError(f"there is no row from {start} to {end}")
    return rows
    ### END SOLUTION


# %% tags=["check:select", "nbval-check-output"]
check.select(select)

# %% [markdown]
# Two days before the minimum and two days after it. Three phases have names: a **sudden
# commencement** (the shock; SYM-H may jump up for a while, because the wind squeezes the field),
# the **main phase** (SYM-H falls) and the **recovery**. Find main phase and recovery, and read off
# what Bz does in each.

# %%
lowest = example.loc[example["sym_h"].idxmin(), "time"]
two_days = pd.Timedelta(days=2)
closer = select(example, lowest - two_days, lowest + two_days)
plots.show(
    stack(closer),
    alt="Four days around the minimum. Bz is far below zero for hours while SYM-H falls; it has "
    "weakened a little when SYM-H is lowest. Then SYM-H rises for two days, fast at first.",
)

# %% [markdown]
# In the main phase Bz is strongly negative; when it weakens and turns, the recovery begins. So a
# southward field *feeds* the ring current, and left alone it *decays*. That is already the whole
# idea of the physics below.

# %% [markdown]
# ## Split by storm
#
# Which rows may be used for testing? If we drew them at random, a test row would have its neighbors
# of five minutes before and after in the training part. How alike are they?

# %%
by_storm = storms.table.groupby("storm")["sym_h"]
for steps, name in [(1, "5 minutes"), (12, "1 hour"), (72, "6 hours")]:
    earlier = by_storm.shift(steps)  # within each storm
    print(f"correlation with SYM-H {name:9} before: {storms.table['sym_h'].corr(earlier):.4f}")

# %% [markdown]
# Neighbors are nearly equal. A test row drawn at random is no test: the answer stands beside it. So
# a storm goes to one side **as a whole**. One trap remains. The table of a storm reaches days
# beyond it on both sides, so where two storms follow each other closely, the same hours can be in
# both.

# %% [markdown]
# ### Exercise 4: split by storm
#
# Write `split_by_storm(table, held_out)` for a table of many storms and a list of storm numbers.
# Return `(kept, held)`, both in the order of the table:
#
# - `held`: all rows of the storms in `held_out`,
# - `kept`: the rows of all other storms, **without** those at a time that also occurs in `held`.
#
# If there is no storm of a number in `held_out`, raise a `ValueError` that names the number.
#
# Say storm 1 has rows at 10:00 and 10:05, storm 2 at 10:05 and 10:10, storm 3 at 18:00. With
# `held_out = [2]`, `held` has two rows, and `kept` those of 10:00 and 18:00.
#
# <details><summary>Hint</summary>
#
# `column.isin(values)` is true where a value is one of `values`, and `~` means *not*. You need it
# twice: for the storms, and for the times. `set(held_out) - set(table["storm"])` are the unknown
# numbers.
# </details>


# %% tags=["exercise:split_by_storm"]
def split_by_storm(table, held_out):
    """Return the rows of other storms, less the shared times, and those of held-out storms."""
    ### BEGIN SOLUTION
    unknown = set(held_out) - set(table["storm"])
    if unknown:
        raise ValueError(f"there is no storm {sorted(unknown)} in the table")
    chosen = table["storm"].isin(held_out)
    held = table[chosen]
    kept = table[~chosen & ~table["time"].isin(held["time"])]
    return kept, held
    ### END SOLUTION


# %% tags=["check:split_by_storm", "nbval-check-output"]
check.split_by_storm(split_by_storm)

# %% [markdown]
# Hold out the storms of the validation split. How many rows are lost because they overlap? Then the
# same with a pair that is sure to overlap: the example storm, cut in two pieces that share a day.

# %%
kept, held = split_by_storm(storms.table, storms.of("val"))
print(
    f"val held out: {len(kept)} + {len(held)} rows,"
    f" lost {len(storms.table) - len(kept) - len(held)}"
)
pieces = pd.concat([example[:1500].assign(storm=1), example[1500 - 288 :].assign(storm=2)])
kept, held = split_by_storm(pieces, [2])
print(f"two pieces:   {len(kept)} + {len(held)} rows, lost {len(pieces) - len(kept) - len(held)}")

# %% [markdown]
# The file's own validation storms don't overlap with the others: `data.storms` refuses a table in
# which storms of different splits do. From here on we use the splits of the file. The networks
# learn from `train`; all choices are made on `val`.

# %%
train = [storms.storm(number) for number in storms.of("train")]
val = [storms.storm(number) for number in storms.of("val")]
print(len(train), "storms to learn from,", len(val), "to choose by; splits:", *storms.splits)

# %% [markdown]
# ## The physics: what drives the ring current
#
# Two things count. A wind of speed V that carries a southward field makes an **electric field**:
#
# $$VB_s = 10^{-3}\, V \max(-B_z, 0),$$
#
# in mV/m for V in km/s and Bz in nT. A northward field gives 0. And the wind presses on the Earth's
# field, with the **dynamic pressure** P = 2·10⁻⁶ N V², in nPa for a density N in cm⁻³. A higher
# pressure lifts SYM-H, in a shock by tens of nT.

# %% [markdown]
# ### Exercise 5: VBs
#
# Write `vbs(speed, bz)` for numbers or arrays of one shape. Where a value is missing (NaN), the
# result is missing.
#
# | speed (km/s) | Bz (nT) | VBs (mV/m) |
# |---|---|---|
# | 500 | -20 | 10 |
# | 500 | 20 | 0 |
# | 400 | NaN | NaN |
#
# <details><summary>Hint</summary>
#
# `np.maximum` takes the greater of two, element by element, and lets a NaN through. `np.where` with
# a condition wouldn't: a comparison with NaN is false.
# </details>


# %% tags=["exercise:vbs"]
def vbs(speed, bz):
    """Return the electric field VBs in mV/m of a wind with speed in km/s and Bz in nT."""
    ### BEGIN SOLUTION
    return 1e-3 * np.asarray(speed) * np.maximum(-np.asarray(bz), 0)
    ### END SOLUTION


# %% tags=["check:vbs", "nbval-check-output"]
check.vbs(vbs)

# %% [markdown]
# ### It takes time to arrive
#
# From L1 the wind has 1.5 million km to go: 83 minutes at 300 km/s, 28 minutes at 900. A gift to the
# forecaster: what is measured now arrives only then.
#
# Can we see that delay? Correlate VBs with the *change* of SYM-H a number of minutes later, over
# all training storms: once VBs as measured, once shifted by its delay to when it arrives. The
# course's `features.drivers` returns VBs, the square root of the pressure, and the delay in steps,
# its gaps filled from the past; `features.arriving` shifts. Where will the two curves have their
# lowest points?

# %%
from helpers.symh import features

shifts = np.arange(-12, 37, 3)
change = pd.concat([storm["sym_h"].diff() for storm in train])
on_the_way, arrived = [], []
for storm in train:
    electric, _, delay = features.drivers(storm, storms.at)
    on_the_way.append(pd.Series(electric))
    arrived.append(pd.Series(features.arriving(electric, delay)))
curves = {
    name: [change.corr(pd.concat([field.shift(k) for field in fields])) for k in shifts]
    for name, fields in [("as measured", on_the_way), ("as it arrives", arrived)]
}

# %% [markdown]
# The change has no lag of its own: it is SYM-H of a row less that of the row before. How much of it
# a single number explains is modest, so look at where the curves are lowest, not at how low.

# %%
figure, axis = plt.subplots(figsize=(7, 3))
for (name, curve), color in zip(curves.items(), (plots.BLUE, plots.VERMILION), strict=True):
    axis.plot(5 * shifts, curve, "o-", color=color, label=name)
    print(
        f"VBs {name:13}: strongest {5 * shifts[np.argmin(curve)]} minutes later, {min(curve):.2f}"
    )
axis.set(xlabel="minutes from VBs to the change of SYM-H", ylabel="correlation")
axis.set_xticks(range(-60, 181, 30))
axis.legend()
plots.show(
    figure,
    alt="Two curves of negative correlation against the lag. VBs as measured has its lowest point "
    "later than VBs as it arrives.",
)

# %% [markdown]
# The correlation is negative: a southward field makes SYM-H fall. As measured, VBs acts only after
# the wind's way to the Earth. As it arrives, it acts within a quarter of an hour or so. Both curves
# are broad, to the left as well, since a southward field lasts for hours. (Wind that is given at the
# bow shock has no way left, and the two curves agree.)

# %% [markdown]
# ## The physics: how the ring current answers
#
# Take away from SYM-H what the pressure adds, $b\sqrt{P}$ less its value $c$ in a quiet wind, and
# what is left is mostly the ring current, D:
#
# $$D = \text{SYM-H} - b\sqrt{P} + c, \qquad \frac{dD}{dt} = Q - \frac{D}{\tau}.$$
#
# Q is what the wind feeds in: $a \cdot (VB_s - \text{threshold})$ where VBs is above the threshold,
# else 0. The rest is a decay with the time τ: a bathtub with a tap and a drain. Burton et al. (1975)
# and O'Brien and McPherron (2000) fitted the constants to Dst:
#
# | | a (nT/h per mV/m) | threshold (mV/m) | τ (h) | b (nT/√nPa) | c (nT) |
# |---|---|---|---|---|---|
# | Burton | -5.4 | 0.5 | 7.7 | 16 | 20 |
# | O'Brien, McPherron | -4.4 | 0.49 | 2.40 exp(9.74 / (4.69 + VBs)) | 7.26 | 11 |
#
# In the second, τ is shorter the stronger the driving. The constants of Burton, and the step of
# five minutes in hours:

# %%
A, THRESHOLD, TAU, B, C = -5.4, 0.5, 7.7, 16.0, 20.0
DT = 1 / 12
print(
    f"fed in at VBs = 10 mV/m: Q = {A * (10 - THRESHOLD):.1f} nT/h, in a step {A * 9.5 * DT:.2f} nT"
)
print(f"lost in a step at D = -100 nT: {100 / TAU * DT:.2f} nT")

# %% [markdown]
# ### Exercise 6: the ring current
#
# Write `ring_current(vbs, root_pressure, start)`. `vbs` (n,) is in mV/m, `root_pressure` (n,) is √P
# in √nPa, both as they arrive and without gaps; `start` is SYM-H of row 0 in nT. Return SYM-H (n,)
# by Burton's equation, in steps of Euler (the rate of change now, times the length of the step):
#
# - D[0] = start - B · root_pressure[0] + C,
# - D[k + 1] = D[k] + DT · (Q(vbs[k]) - D[k] / TAU),
# - SYM-H = D + B · root_pressure - C.
#
# Nothing but the first row is taken from SYM-H: the model runs **free**. With a constant
# root_pressure of 1.25 (so B √P = C), start 0 and VBs = 10 everywhere, SYM-H begins 0, -4.275,
# -8.50 ...: the second step gains 4.275 again and loses 4.275 / 7.7 / 12.
#
# <details><summary>Hint 1</summary>
#
# Q for all rows at once: `A * np.maximum(vbs - THRESHOLD, 0)`.
# </details>
# <details><summary>Hint 2</summary>
#
# `d = np.empty(len(vbs))`, set `d[0]`, then a loop over `range(len(vbs) - 1)` that sets `d[k + 1]`.
# </details>


# %% tags=["exercise:ring_current"]
def ring_current(vbs, root_pressure, start):
    """Return SYM-H (n,) in nT by Burton's equation, from its first value and the wind."""
    ### BEGIN SOLUTION
    vbs, root_pressure = np.asarray(vbs, float), np.asarray(root_pressure, float)
    injected = A * np.maximum(vbs - THRESHOLD, 0)
    d = np.empty(len(vbs))
    d[0] = start - B * root_pressure[0] + C
    for k in range(len(vbs) - 1):
        d[k + 1] = d[k] + DT * (injected[k] - d[k] / TAU)
    return d + B * root_pressure - C
    ### END SOLUTION


# %% tags=["check:ring_current:2", "nbval-check-output"]
check.ring_current(ring_current)

# %% [markdown]
# First with a wind made up: VBs = 10 mV/m for six hours, then nothing. Where would SYM-H settle if
# the driving went on forever? There Q = D / τ, so D = Q τ.

# %%
field = np.where(np.arange(24 * 12) < 6 * 12, 10.0, 0.0)
model = ring_current(field, np.full(len(field), 1.25), start=0)
print(
    "after 1, 3, 6 hours:",
    model[[12, 36, 72]].round(1),
    "  limit:",
    round(A * (10 - THRESHOLD) * TAU),
)
print("6 and 12 hours after the driving ended:", model[[144, 216]].round(1))

# %% [markdown]
# A steep fall at first, which slows down: the deeper, the more drains away. After the end of the
# driving it comes back by the factor 1/e every 7.7 hours. The storm above has that shape, too.
#
# Now the example storm, from the wind alone. For O'Brien and McPherron the course has the constants
# in `physics.OBRIEN`, with `injection` (Q) and `decay_time` (τ); `free_run` makes the same loop for
# any such model. Look at three things: the time of the fall, the depth, and the recovery.


# %%
from helpers.symh import physics


def free_run(model, storm):
    """Return SYM-H (n,) by a model of the ring current, from its first value and the wind."""
    electric, root_pressure, delay = features.drivers(storm, storms.at)
    electric, root_pressure = (features.arriving(v, delay) for v in (electric, root_pressure))
    injected, tau = model.injection(electric), model.decay_time(electric)
    added = model.b * root_pressure - model.c
    d = [storm["sym_h"][0] - added[0]]
    for q, t in zip(injected[:-1], tau[:-1], strict=True):
        d.append(d[-1] + physics.STEP * (q - d[-1] / t))
    return np.array(d) + added


# %% [markdown]
# Both models start at the first row, days before the storm, and never see SYM-H again.

# %%
models = {"Burton": physics.BURTON, "O'Brien, McPherron": physics.OBRIEN}
figure, axis = plt.subplots(figsize=(8, 3.5))
axis.plot(example["time"], example["sym_h"], color=plots.BLACK, linewidth=1, label="measured")
for (name, model), color in zip(models.items(), (plots.BLUE, plots.VERMILION), strict=True):
    axis.plot(example["time"], free_run(model, example), color=color, linewidth=1.2, label=name)
axis.set(xlabel="time (UTC)", ylabel="SYM-H (nT)")
axis.legend()
plots.show(
    figure,
    alt="SYM-H of the deepest training storm and two physical models. Both fall and come back "
    "with it, but to different depths, and not both follow it in the recovery.",
)

# %% [markdown]
# A few constants, published decades ago, and no look at SYM-H for days: yet the storm comes at the
# right time. The depth is off, by much. Is it only this storm? Here are two numbers over all training
# storms, inside their windows: the RMSE, and the minimum of the model less that of SYM-H.

# %%
rows = []
for storm in train:
    window = storms.windows.loc[storm["storm"][0]]
    inside = storm["time"].between(window["start"], window["end"]).to_numpy()
    for name, model in models.items():
        error = free_run(model, storm)[inside] - storm["sym_h"][inside]
        high = (error + storm["sym_h"][inside]).min() - window["minimum"]
        rows.append({"model": name, "RMSE": np.sqrt(np.mean(error**2)), "minimum too high": high})
pd.DataFrame(rows).groupby("model").agg(["mean", "std"]).round(1)

# %% [markdown]
# All in nT. O'Brien and McPherron err less on average, and their minima are too high: their storms
# are not deep enough. And from storm to storm the depth scatters by some 40 to 50 nT: a few
# constants don't fit every storm, and a wind with gaps doesn't help. What the physics gets right
# (that SYM-H answers the wind, when, and how it decays), a network needn't learn from scratch. What
# it gets wrong is the network's work. And a forecast for one or two hours needn't run free: it may
# start from SYM-H as measured now.

# %% [markdown]
# ## What a forecast must beat
#
# The task from here on: at each row, forecast SYM-H **one and two hours ahead**, 12 and 24 rows. The
# score is the one of the published work: the root mean square error (RMSE) inside each storm's
# evaluation window, then the mean over the storms. A long storm counts no more than a short one.
#
# A forecast is a function here: it gets the table of a storm with n rows and returns (n, 2) numbers,
# in row i the two forecasts that it makes *at* row i. `scores.rmse_by_storm` pairs them with what
# came.
#
# Two forecasts need no training. **Persistence** says that nothing will change. The **physical
# model** starts at SYM-H now and runs on with the wind that is already on its way from L1; after that
# it assumes that the last measured wind stays.

# %%
from helpers.symh import scores


def persistence(storm):
    now = storm["sym_h"].to_numpy()
    return np.stack([now, now], axis=1)


def obrien(storm):
    return features.physics_forecast(storm, hours=(1, 2), at=storms.at)


# %% [markdown]
# All choices of this lab are made on training and validation storms. `board` collects what each
# forecast reaches on the validation storms. (On storms that the course makes, all forecasts are
# judged by equations that we wrote: these storms teach methods, not the Sun.)

# %%
board = pd.DataFrame(columns=["1 h", "2 h"], dtype=float)
for name, forecast in [("persistence", persistence), ("physics", obrien)]:
    board.loc[name] = scores.rmse_by_storm(storms, forecast, "val").mean()
board.round(2)

# %% [markdown]
# The numbers are in nT. The physical model has seen no training storm at all: its constants are
# those of O'Brien and McPherron (2000), fitted to the hours of other years.

# %% [markdown]
# ### A forecast that is the past, delayed
#
# Now look at persistence, drawn as a forecast is usually drawn: at each time, what was forecast for
# it an hour before. How good does it look from afar? (A needle of one point in SYM-H, if you see one,
# is a fault of the data.)

# %%
strongest = storms.windows.query("split == 'val'")["minimum"].idxmin()
storm = storms.storm(strongest)
bottom = storm["sym_h"].idxmin()
late = persistence(storm)[:-12, 0]
figure, axes = plt.subplots(1, 2, figsize=(8, 2.8), layout="constrained", width_ratios=[2, 1])
for axis, span in zip(axes, [(-len(storm), len(storm)), (-36, 24)], strict=True):
    rows = np.arange(max(bottom + span[0], 12), min(bottom + span[1], len(storm)))
    axis.plot((rows - bottom) / 12, storm["sym_h"][rows], color=plots.BLACK, label="SYM-H")
    axis.plot((rows - bottom) / 12, late[rows - 12], color=plots.VERMILION, label="1 h forecast")
    axis.set_xlabel("hours after the minimum")
axes[0].set_ylabel("SYM-H (nT)")
axes[0].legend()
plots.show(
    figure,
    alt="Left, the deepest validation storm as a whole: SYM-H and the forecast by persistence "
    "nearly cover each other. Right, five hours around the minimum: the forecast is the same "
    "curve, one hour late.",
)

# %% [markdown]
# On the left the two curves nearly cover each other, and their correlation is high: it was printed
# above, for one hour. On the right is the truth: the forecast *is* the observed curve, an hour late.
# When SYM-H falls, it tells of the fall an hour after.
#
# This can be measured: compare the forecasts for a time not with SYM-H then, but with SYM-H some
# minutes *earlier*, and see where they fit best.


# %%
def lateness(forecast):
    """Return by how many minutes the forecasts for two hours ahead come late."""
    errors = np.zeros(25)
    for number in storms.of("val"):
        storm = storms.storm(number)
        sym_h, made = storm["sym_h"].to_numpy(), np.asarray(forecast(storm))[:, 1]
        rows = scores.targets(storm, storms.windows.loc[number], 2)
        for earlier in range(25):  # rows
            difference = made[rows - 24] - sym_h[rows - earlier]
            errors[earlier] += np.sqrt(np.mean(difference**2))
    return 5 * int(np.argmin(errors))


# %% [markdown]
# How late will persistence be, two hours ahead? And the physics, which knows the wind on its way?

# %%
for name, forecast in [("persistence", persistence), ("physics", obrien)]:
    print(f"{name}: two hours ahead, {lateness(forecast)} of 120 minutes late")

# %% [markdown]
# Persistence is late by the whole two hours: this is what *delayed past* means. The physical model is
# late as well, but less. Whenever somebody shows you a forecast that covers the truth, ask for
# persistence beside it, and for this number.

# %% [markdown]
# ## Windows that stay inside their storm
#
# A model that learns needs pairs: some past, and what came after. In lab 08 a rolling window cut
# them from one long series. Here the table holds many storms, one below the other. Where storm 1
# ends, storm 2 begins months later: a window across the border would pair the end of one storm with
# the beginning of another.

# %% [markdown]
# ### Exercise 7: windows of many storms
#
# Write `storm_windows(inputs, sym_h, storm, n_in, n_out)`. It gets three arrays with a row for each
# time: `inputs` of shape (n, d), `sym_h` (n,) and `storm` (n,), the number of the storm that the row
# belongs to; the rows of a storm follow each other. It returns
#
# - `x` of shape (m, n_in, d): every window of `n_in` rows that has `n_out` more rows of its storm
#   after it, in order,
# - `y` of shape (m, n_out): the values of `sym_h` in these `n_out` rows.
#
# A storm that is too short for one pair gives none. Example: with `storm = [1, 1, 1, 1, 2, 2, 2]`,
# `n_in = 2` and `n_out = 1` there are three windows. They begin at rows 0, 1 and 4; their targets are
# `sym_h` of rows 2, 3 and 6.
#
# <details><summary>Hint 1</summary>
#
# Begin with plain loops: for each row where a window may begin, look at the storm of its first row
# and of its last target.
# </details>
# <details><summary>Hint 2</summary>
#
# A window that begins at row k covers rows k to k + n_in - 1, its targets rows k + n_in to
# k + n_in + n_out - 1. `np.array` of an empty list has no shape (0, n_in, d): `reshape` gives it one.
# </details>


# %% tags=["exercise:storm_windows"]
def storm_windows(inputs, sym_h, storm, n_in, n_out):
    """Return windows (m, n_in, d) and the n_out values of sym_h after each, (m, n_out)."""
    ### BEGIN SOLUTION
    length = n_in + n_out
    begins = [k for k in range(len(storm) - length + 1) if storm[k] == storm[k + length - 1]]
    x = np.array([inputs[k : k + n_in] for k in begins]).reshape(-1, n_in, inputs.shape[1])
    y = np.array([sym_h[k + n_in : k + length] for k in begins]).reshape(-1, n_out)
    return x, y
    ### END SOLUTION


# %% tags=["check:storm_windows", "nbval-check-output"]
check.storm_windows(storm_windows)

# %% [markdown]
# From here on `rolling_windows` of lab 08, which copies nothing, cuts one storm at a time. What the
# first models get is **raw**: six measurements of the wind, gaps filled from the past, and SYM-H.
# They are scaled by the mean and the standard deviation of the *training* storms.

# %%
RAW = ["bx_gsm", "by_gsm", "bz_gsm", "speed", "density", "temperature"]


def unscaled(storm):
    return np.column_stack([features.wind(storm)[RAW], storm["sym_h"]]).astype(np.float32)


every = np.concatenate([unscaled(storm) for storm in train])
mean, deviation = every.mean(axis=0), every.std(axis=0)
raw = {n: (unscaled(storms.storm(n)) - mean) / deviation for n in storms.windows.index}
print(len(raw), "storms; the deepest of val has the shape", raw[strongest].shape)

# %% [markdown]
# ## Physics as an input
#
# A network could find out that a southward field matters, that it matters in a product with the
# speed, and that it takes an hour to arrive. But why let it search for what is known?
# `features.inputs` makes a table of 20 columns from a storm, **the physical inputs**: the raw
# measurements, how old the last good ones are, VBs and pressure as measured and as they arrive, what
# the physical model forecasts, less SYM-H now, and the time of the day.

# %%
physical = {n: features.inputs(storms.storm(n), storms.at) for n in storms.windows.index}
physical[strongest].describe().T[["mean", "std", "min", "max"]].round(2)

# %% [markdown]
# Most values lie between -3 and 3: each column is scaled by round numbers that are the same for every
# storm. Nothing was fitted, so nothing can leak. And no row looks ahead: below you will write a test
# that would catch it.

# %% [markdown]
# ## Walk forward, and search
#
# The simplest model that learns is **ridge regression**: a linear model on the last `n_in` rows,
# whose squared weights are punished by a factor `alpha`. It forecasts the *change* of SYM-H from now.
# Three choices are open: `n_in`, `alpha`, and raw or physical inputs. They need a score that is
# neither of the training (too kind) nor of the test (used up by looking).
#
# **Walk-forward** evaluation does what a forecaster would do: fit on the storms up to now, forecast
# the next ones; then these belong to the past, and so on. The model never sees a storm later than
# those that it forecasts. (Only the mean and deviation that scale the raw inputs are of all training
# storms; further down we measure how little that does here.)

# %% [markdown]
# ### Exercise 8: walk forward
#
# Write `walk_forward(parts, fit, score)`. `parts` is a list in the order of time, each part a list of
# storms. `fit(past)` gets a list of parts and returns a model, `score(model, part)` returns a number.
# For each part but the first: fit on **all** parts before it, score on it. Return the list of the
# scores, one fewer than there are parts.
#
# For `parts = [a, b, c]` the result is `[score(fit([a]), b), score(fit([a, b]), c)]`.
#
# <details><summary>Hint</summary>
#
# `parts[:k]` are the parts before part k.
# </details>


# %% tags=["exercise:walk_forward"]
def walk_forward(parts, fit, score):
    """Return the score of each part but the first, by a model fitted to all parts before it."""
    ### BEGIN SOLUTION
    return [score(fit(parts[:k]), parts[k]) for k in range(1, len(parts))]
    ### END SOLUTION


# %% tags=["check:walk_forward", "nbval-check-output"]
check.walk_forward(walk_forward)

# %% [markdown]
# ### Exercise 9: search on a budget
#
# Write `grid_search(score, grid, budget, rng)`.
#
# - `grid` is a dict: a list of values for each name, as `{"n_in": [1, 6], "alpha": [1, 100]}`.
# - `score(**settings)` is called with one value for each name, as `score(n_in=6, alpha=1)`, and
#   returns a number: **lower is better**.
# - Try every combination. If there are more than `budget`, try `budget` *different* ones, chosen at
#   random by the generator `rng` (`np.random.default_rng(0)`, say).
#
# Return two things: the settings of the lowest score, a dict, and the list of all that was tried,
# `(settings, value)` in the order of the calls.
#
# <details><summary>Hint 1</summary>
#
# `itertools.product(*grid.values())` gives every combination of values, and `dict(zip(grid, values))`
# puts the names to one of them.
# </details>
# <details><summary>Hint 2</summary>
#
# Choose *numbers* of combinations, not the values: `rng.choice(20, size=5, replace=False)` gives five
# different numbers below 20.
# </details>

# %% tags=["exercise:grid_search"]
import itertools


def grid_search(score, grid, budget, rng):
    """Return the settings with the lowest score, and the list of (settings, value) tried."""
    ### BEGIN SOLUTION
    candidates = [
        dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())
    ]
    if len(candidates) > budget:
        chosen = rng.choice(len(candidates), size=budget, replace=False)
        candidates = [candidates[k] for k in chosen]
    results = [(settings, score(**settings)) for settings in candidates]
    best = min(results, key=lambda result: result[1])[0]
    return best, results
    ### END SOLUTION


# %% tags=["check:grid_search", "nbval-check-output"]
check.grid_search(grid_search)

# %% [markdown]
# Now such a search. The cells below do it in the course's own words, so that they run without your two
# functions. First what goes in and what should come out: `lags` lays the last `n_in` rows side by
# side, and `changes` has the two numbers to be forecast at each row.

# %%
from sklearn.linear_model import Ridge

kinds = {"raw": raw, "physical": physical}


def lags(number, n_in, kind):
    values = np.asarray(kinds[kind][number], float)
    values = np.concatenate([np.repeat(values[:1], n_in - 1, axis=0), values])
    return np.lib.stride_tricks.sliding_window_view(values, n_in, axis=0).reshape(
        -1, n_in * values.shape[1]
    )


def changes(storm):
    """Return how SYM-H will have changed after one and two hours, for all rows but the last 24."""
    sym_h = storm["sym_h"].to_numpy()
    return np.stack([sym_h[12:-12], sym_h[24:]], axis=1) - sym_h[:-24, None]


# %% [markdown]
# Then the model: `fit_ridge` fits to a list of storms, every sixth row of them, and `ridge_forecast`
# returns a forecast of the form above. It adds SYM-H now to the change that the ridge says.


# %%
def number_of(storm):
    return storm["storm"].iloc[0]


def fit_ridge(past, n_in, alpha, kind):
    # Copies of every sixth row, so that the memory of the others is free again.
    x = [lags(number_of(storm), n_in, kind)[:-24:6].copy() for storm in past]
    y = [changes(storm)[::6] for storm in past]
    return Ridge(alpha).fit(np.concatenate(x), np.concatenate(y))


def ridge_forecast(model, n_in, kind):
    def forecast(storm):
        return storm[["sym_h"]].to_numpy() + model.predict(lags(number_of(storm), n_in, kind))

    return forecast


# %% [markdown]
# The training storms, five parts in the order of time. The errors are means over all rows of a
# storm's table, quiet margins too, so they are smaller than those on the board.

# %%
parts = np.array_split(storms.of("train"), 5)
parts = [[storms.storm(number) for number in part] for part in parts]
print("storms in each part:", [len(part) for part in parts])


def error_of(forecast, part):
    """Return the mean over the storms of a part of the RMSE one hour ahead, in nT."""
    errors = [forecast(storm)[:-24, 0] - storm["sym_h"].to_numpy()[12:-12] for storm in part]
    return float(np.mean([np.sqrt(np.mean(error**2)) for error in errors]))


# %% [markdown]
# The score of one combination is a walk forward, as in exercise 8: four fits, each to a longer past.


# %%
def walk_score(n_in, alpha, kind):
    """Return the mean of the errors of the parts, each by a ridge fitted to all parts before it."""
    errors = []
    for k in range(1, len(parts)):
        past = [storm for part in parts[:k] for storm in part]
        forecast = ridge_forecast(fit_ridge(past, n_in, alpha, kind), n_in, kind)
        errors.append(error_of(forecast, parts[k]))
    return float(np.mean(errors))


# %% [markdown]
# The search gets a budget of 12 out of 30 combinations, drawn by their numbers, as in exercise 9. It
# takes about 20 seconds on two cores. Which will matter more, the length of the past or the kind of
# the inputs?

# %%
import itertools

grid = {"n_in": [1, 3, 6, 12, 24], "alpha": [10, 1000, 100_000], "kind": ["raw", "physical"]}
rng = np.random.default_rng(9)
combinations = list(itertools.product(*grid.values()))
tried = rng.choice(len(combinations), size=12, replace=False)
search = pd.DataFrame([combinations[k] for k in tried], columns=list(grid))
search["RMSE (nT)"] = [
    walk_score(*settings) for settings in training.track(list(search.itertuples(index=False)))
]
search.sort_values("RMSE (nT)").round(2)

# %% [markdown]
# Look at two things in the table: how far the raw inputs get, and what the physical ones add. The
# best combination of each kind is now fitted to all training storms.

# %%
for kind, name in [("raw", "ridge, raw"), ("physical", "ridge, physical")]:
    best = search[search["kind"] == kind].sort_values("RMSE (nT)").iloc[0]
    n_in, alpha = int(best["n_in"]), float(best["alpha"])
    model = fit_ridge(train, n_in, alpha, kind)
    forecast = ridge_forecast(model, n_in, kind)
    board.loc[name] = scores.rmse_by_storm(storms, forecast, "val").mean()
    print(f"{name}: n_in = {n_in}, alpha = {alpha:g}, {model.coef_.size + 2} coefficients")
board.round(2)

# %% [markdown]
# A linear model beats persistence with raw inputs, and the physical model with physical ones. It
# took seconds to fit. Any network has to be better than *this* to be worth its trouble. Look at the
# winners' `n_in`: it is the greatest in the grid. A winner at an edge says that the grid should go on
# there. Is an `alpha` at an edge, too?

# %% [markdown]
# ## The network one writes first
#
# Lab 08 made forecasts with LSTMs, so here is one: 64 units read three hours of raw inputs, 36 rows,
# and a dense layer says SYM-H one and two hours ahead. It gets every fifteenth window of the
# training storms, to save time.
#
# One decision is left. What should the network learn?
#
# - `"absolute"`: SYM-H itself, as most people write it first,
# - `"change"`: how much SYM-H will have changed from its last value, which is added afterwards. A
#   network that says "0" then is persistence.

# %%
from helpers.windows import rolling_windows

N_IN, EVERY = 36, 15
past, come = [], []
for storm in train:
    values = np.column_stack([raw[number_of(storm)], storm["sym_h"]])
    before, after = rolling_windows(values, N_IN, 24, stride=EVERY)
    past.append(before[:, :, :-1].astype(np.float32))
    come.append(np.concatenate([after[:, [11, 23], -1], before[:, -1:, -1]], axis=1))
past, come = np.concatenate(past), np.concatenate(come)  # come: in 1 h, in 2 h, now
targets = {"absolute": come[:, :2], "change": come[:, :2] - come[:, 2:]}
print(past.shape, {name: target.shape for name, target in targets.items()})


# %% [markdown]
# The network itself is short. It is trained on scaled targets, so `lstm_forecast` scales back what it
# says, and adds SYM-H now where that is a change. (Like `lags`, it repeats the first row of a storm,
# so that the earliest rows have a window, too.)

# %%
import keras
from keras import layers


def build_lstm():
    model = keras.Sequential([keras.Input(past.shape[1:]), layers.LSTM(64), layers.Dense(2)])
    model.compile("adam", loss="mse")
    return model


def lstm_forecast(model, target):
    """Return the forecast of a trained LSTM: scaled back, and added to now if it is a change."""
    center, spread = targets[target].mean(axis=0), targets[target].std(axis=0)

    def forecast(storm):
        values = raw[number_of(storm)]
        values = np.concatenate([np.repeat(values[:1], N_IN - 1, axis=0), values])
        windows = np.lib.stride_tricks.sliding_window_view(values, N_IN, axis=0).swapaxes(1, 2)
        made = center + spread * model.predict(windows, batch_size=1024, verbose=0)
        return made + storm[["sym_h"]].to_numpy() * (target == "change")

    return forecast


# %% [markdown]
# ### Exercise 10: absolute or change?
#
# Same network, same windows, same seed, same eight epochs; both targets are scaled to mean 0 and
# standard deviation 1. Which of the two will have the smaller error one hour ahead on the validation
# storms? Set `winner` to `"absolute"` or `"change"` before you train them.
#
# <details><summary>Hint</summary>
#
# An error of 2 % of the target's spread is how many nT in each case? Compute `targets["absolute"].std()`
# and `targets["change"].std()`.
# </details>

# %% tags=["exercise:winner"]
winner = None
### BEGIN SOLUTION
winner = "change"
### END SOLUTION

# %% [markdown]
# Both are trained: up to 40 seconds on two cores.

# %%
trained = {}
for target in training.track(["absolute", "change"]):
    keras.utils.set_random_seed(9)
    trained[target] = build_lstm()
    scaled = (targets[target] - targets[target].mean(axis=0)) / targets[target].std(axis=0)
    trained[target].fit(past, scaled, batch_size=256, epochs=8, verbose=0)

# %% [markdown]
# Two new rows for the board, in some seconds. Compare them with each other, and with the two ridge
# regressions.

# %%
for target, model in trained.items():
    forecast = lstm_forecast(model, target)
    board.loc[f"LSTM, {target}"] = scores.rmse_by_storm(storms, forecast, "val").mean()
board.round(2)

# %% tags=["check:winner"]
check.winner(winner, {target: board.loc[f"LSTM, {target}", "1 h"] for target in trained})

# %% [markdown]
# The network with the change as its target starts from the last value; the other has to learn to say
# that value again first. With more training it learns this as well: the long table below shows a
# smaller gap, with three times as many windows.
#
# And compare with ridge regression. On raw inputs the LSTM that learns the change is better. But the
# ridge on *physical* inputs, fitted in seconds, beats it: here the knowledge weighs more than the
# network.

# %% [markdown]
# ## Does it look ahead?
#
# A forecast must not use what was not known when it was made. Sounds easy; but a feature is often
# made from a whole table at once, and then it is easily wrong by a row, or by an hour, or smoothed
# with the future. The good score of such a forecast is gone on the first day of its use.
#
# There is a test that needs no reading of code. Change **everything after** a row, and compute the
# features again: those **up to and including** that row must stay what they were.

# %% [markdown]
# ### Exercise 11: a test of causality
#
# Write `looks_ahead(features, storm, row)`.
#
# - `features(storm)` gets the table of a storm, n rows, and returns an array (n, f), or a table of n
#   rows. There may be NaN in it.
# - Change all that was **measured** after `row`: every column but `storm`, `split` and `time`, in a
#   *copy* of the table. Gaps count as well: a feature may peek at where they end.
# - Return `True` if any feature up to and including `row` differs, else `False`.
#
# Example: with `features = lambda storm: storm[["bz_gsm"]].shift(1)`, the value of the row before, the
# result is `False`. With `shift(-1)`, the value of the row after, it is `True`.
#
# <details><summary>Hint 1</summary>
#
# Make a list `measured` of the columns that are not `storm`, `split` or `time`. Bring their numbers
# to float64, `storm = storm.astype(dict.fromkeys(measured, float))`, so that both tables round
# alike. Then `other = storm.copy()`, and `other.loc[row + 1 :, measured] = ...` sets the columns
# after `row`. Random numbers are a better change than a factor: 0 times 2 is 0, and NaN plus 1 is
# NaN.
# </details>
# <details><summary>Hint 2</summary>
#
# `np.array_equal(a, b, equal_nan=True)` takes NaN as equal to NaN.
# </details>


# %% tags=["exercise:looks_ahead"]
def looks_ahead(features, storm, row):
    """Return whether any feature up to `row` depends on what was measured after it."""
    ### BEGIN SOLUTION
    measured = storm.columns.difference(["storm", "split", "time"])
    storm = storm.astype(dict.fromkeys(measured, float))
    other = storm.copy()
    noise = np.random.default_rng(0).normal(size=(len(storm) - row - 1, len(measured)))
    other.loc[row + 1 :, measured] = noise
    before, after = (np.asarray(features(table))[: row + 1] for table in (storm, other))
    return not np.array_equal(before, after, equal_nan=True)
    ### END SOLUTION


# %% tags=["check:looks_ahead", "nbval-check-output"]
check.looks_ahead(looks_ahead)

# %% [markdown]
# `helpers.symh.causality` has such a test, and the course's own tests run it on every input of this
# lab. You can do it here: the physical inputs at five rows of a storm.

# %%
from helpers.symh import causality

deep_storm = storms.storm(strongest)


def physical_inputs(storm):
    return features.inputs(storm, storms.at)


for row in [5, 500, 1000, 1500, 2500]:
    print(f"row {row:4}: looks ahead: {causality.looks_ahead(physical_inputs, deep_storm, row)}")

# %% [markdown]
# ### Exercise 12: find the leaks
#
# Three colleagues prepare their inputs. Each says that no future is in them, and **two are wrong**.
# Read the three functions first and make up your mind; then use the test on them.


# %%
def colleague_a(storm):
    """Return wind and SYM-H with gaps filled, and what has changed in the last hour."""
    known = storm[["bz_gsm", "speed", "density", "sym_h"]].ffill().fillna(0)
    return np.column_stack([known, known - known.shift(12).fillna(0)])


def colleague_b(storm):
    """Return wind and SYM-H with gaps filled along straight lines, as the wind changes steadily."""
    known = storm[["bz_gsm", "speed", "density", "sym_h"]].interpolate().fillna(0)
    return np.column_stack([known, known - known.shift(12).fillna(0)])


def colleague_c(storm):
    """Return wind and SYM-H, each brought to mean 0 and standard deviation 1."""
    known = storm[["bz_gsm", "speed", "density", "sym_h"]].ffill().fillna(0)
    return np.asarray((known - known.mean()) / known.std())


# %% [markdown]
# Set `cheats` to a list of the two letters, as `["A", "B"]`.
#
# <details><summary>Hint</summary>
#
# Whether a leak shows depends on the row: a gap matters only inside a gap.
# `deep_storm["density"].isna()` tells where these are. Try several rows.
# </details>

# %% tags=["exercise:leaks"]
cheats = None
### BEGIN SOLUTION
cheats = ["B", "C"]
### END SOLUTION

# %% tags=["check:leaks", "nbval-check-output"]
pipelines = {"A": colleague_a, "B": colleague_b, "C": colleague_c}
check.leaks(cheats, pipelines, deep_storm)

# %% [markdown]
# ### What cheating buys
#
# How much better does a forecast look that cheats? Five ridge regressions on raw inputs with the
# same settings. One is honest, the others make mistakes that are easily made:
#
# - **from the future**: the wind of an hour later, because somebody shifted the columns the wrong way,
# - **off by 15 minutes**: the target of "two hours ahead" is three rows too near,
# - **interpolated**: gaps of the wind filled along straight lines, as B did,
# - **scaled on everything**: mean and deviation from all storms, the validation storms too.


# %%
def shifted(storm, rows):
    """Return the storm with the wind of `rows` rows later."""
    later = storm.copy()
    wind = [name for name in storm.columns if name not in ("storm", "split", "time", "sym_h")]
    later[wind] = storm[wind].shift(-rows).ffill()
    return later


def interpolated(storm):
    return storm.assign(**{name: storm[name].interpolate() for name in RAW})


def cheating_error(prepare=lambda storm: storm, ahead=24, scale_on=()):
    """Return the mean RMSE in nT on the validation storms of a ridge regression with 24 rows."""
    every = np.concatenate([unscaled(storm) for storm in [*train, *scale_on]])
    center, spread = every.mean(axis=0), every.std(axis=0)

    def lagged(storm):
        values = (unscaled(prepare(storm)) - center) / spread
        return np.lib.stride_tricks.sliding_window_view(values, 24, axis=0).reshape(-1, 24 * 7)

    def change(storm):
        return (storm["sym_h"].shift(-ahead) - storm["sym_h"]).to_numpy()[23:]

    x = np.concatenate([lagged(storm)[:-ahead:6].copy() for storm in train])
    y = np.concatenate([change(storm)[:-ahead:6] for storm in train])
    model, errors = Ridge(1000).fit(x, y), []
    for storm in val:
        rows = scores.targets(storm, storms.windows.loc[number_of(storm)], 2) - 24
        difference = (model.predict(lagged(storm)) - change(storm))[rows - 23]
        errors.append(np.sqrt(np.mean(difference**2)))
    return np.mean(errors)


# %% [markdown]
# Each trick is played in training and in scoring alike, as it happens to somebody who doesn't notice
# it. Guess the order: which gains most, which nothing?

# %%
tricks = {
    "honest": {},
    "from the future": {"prepare": lambda storm: shifted(storm, 12)},
    "off by 15 minutes": {"ahead": 21},
    "interpolated": {"prepare": interpolated},
    "scaled on everything": {"scale_on": val},
}
gains = pd.Series({name: cheating_error(**trick) for name, trick in tricks.items()})
gains.to_frame("RMSE (nT), 2 h").round(3)

# %% [markdown]
# The first two buy as much as a better model would: whoever compares two networks that differ by half
# a nT compares nothing if one of them has such a mistake. The last two buy nothing here. That is no
# excuse, since nobody knows it beforehand: with fewer storms, or another model, they may.
#
# The worst mistake is in the *split*. Neighboring rows are nearly equal. If rows are
# shuffled before they are split, each validation row has its neighbors in the training set, and a
# model that just looks up the most similar row seems to know something. Here it is, after some
# seconds, as a share of the error of persistence on the same rows: below 1 is better.

# %%
from sklearn.neighbors import KNeighborsRegressor

rows = np.concatenate([np.asarray(physical[number_of(storm)])[:-24:3] for storm in train + val])
come = np.concatenate([changes(storm)[::3, 0] for storm in train + val])
in_val = np.concatenate(
    [np.full(len(changes(s)[::3]), s["split"].iloc[0] == "val") for s in train + val]
)
at_random = np.random.default_rng(9).permutation(in_val)
for name, held in [("rows at random", at_random), ("by storm", in_val)]:
    nearest = KNeighborsRegressor(1).fit(rows[~held], come[~held]).predict(rows[held])
    share = np.sqrt(np.mean((nearest - come[held]) ** 2) / np.mean(come[held] ** 2))
    print(f"split {name:15}: {share:.2f} of the error of persistence")

# %% [markdown]
# The same model, the same rows, two ways to split: one promises a forecast that beats persistence,
# the other shows that it doesn't.

# %% [markdown]
# ## A network that learns from whole days
#
# The LSTM read three hours, and each of its windows taught it one pair of numbers. A **causal
# convolution** reads a whole chunk of a day at once and forecasts *at every step* of it, so that each
# step is a lesson.
#
# Causal means: the kernel covers the present and the past, never the future. **Dilated** means: it
# skips steps. By hand, with the kernel [1, 1] and a dilation of 2, each output is the value now plus
# the value two steps ago; before the first value there are zeros:

# %%
signal = np.array([1, 2, 3, 4, 5, 6])
padded = np.concatenate([[0, 0], signal])
print("dilation 2:", padded[2:] + padded[:-2])

# %% [markdown]
# In Keras that is `Conv1D(..., padding="causal", dilation_rate=2)`:

# %%
layer = layers.Conv1D(1, 2, padding="causal", dilation_rate=2, use_bias=False)
layer.build((None, None, 1))
layer.set_weights([np.ones((2, 1, 1))])
print(
    "Keras:     ",
    keras.ops.convert_to_numpy(layer(signal[None, :, None].astype("float32"))).ravel(),
)

# %% [markdown]
# Four such convolutions one after the other, with kernels of four steps and the dilations 1, 3, 9 and
# 27, see far into the past with few weights. Each sits in a residual block (lab 05), and dense layers
# before and after work on each step for itself. This is a *temporal convolutional network* (Bai,
# Kolter and Koltun 2018); `helpers/symh/network.py` builds it in ten lines, which are worth reading.

# %%
from helpers.symh import network

sees = 1 + (4 - 1) * (1 + 3 + 9 + 27)
fresh = network.causal_network(inputs=20, outputs=2)
print(f"{fresh.count_params():,} weights; each step sees {sees} steps, {sees / 12:.1f} hours")

# %% [markdown]
# A network can look ahead as well: one wrong `padding` is enough. The test works on it too.


# %%
def untrained(storm):
    return network.forecast([fresh], features.inputs(storm, storms.at), storm["sym_h"])


print("looks ahead:", causality.looks_ahead(untrained, deep_storm, 1000))

# %% [markdown]
# What else is different from the LSTM:
#
# - **physical inputs**, and the change as the target,
# - **days instead of windows**: chunks of 288 steps; the first 32 steps of a chunk don't count, since
#   they see the least of the past,
# - **Huber's loss** (lab 02), which is less impressed by a few very large errors,
# - **AdamW**: Adam (lab 02) that also shrinks the weights a little in each step; its learning rate
#   falls along a cosine to zero. And **dropout** (lab 02) in each block.

# %%
ahead = [12, 24]
x, y, weights = network.day_chunks(
    [physical[number_of(storm)] for storm in train], [storm["sym_h"] for storm in train], ahead
)
x.shape, y.shape, weights.shape

# %% [markdown]
# The shapes are (chunks, steps, inputs), (chunks, steps, hours ahead) and (chunks, steps). `fit`
# multiplies the loss of each step by its weight: 0 for the first 32 of a chunk, 1 for all others.

# %%
EPOCHS, BATCH = 22, 16


def train_network(seed):
    keras.utils.set_random_seed(seed)
    model = network.causal_network(inputs=x.shape[-1], outputs=len(ahead))
    network.compile_for(model, batches=EPOCHS * int(np.ceil(len(x) / BATCH)))
    callbacks = training.progress()
    model.fit(x, y, BATCH, EPOCHS, sample_weight=weights, verbose=0, callbacks=callbacks)
    return model


# %% [markdown]
# One training: about 30 seconds on two cores.

# %%
networks = [train_network(seed=9)]


def causal_forecast(storm):
    return network.forecast(networks, physical[number_of(storm)], storm["sym_h"])


board.loc["causal network"] = scores.rmse_by_storm(storms, causal_forecast, "val").mean()
board.round(2)

# %% [markdown]
# In this run nothing else on the board is as good, with about as many weights as the LSTM. But it had
# other inputs, saw ten hours instead of three, and was trained longer: only a fair comparison tells
# what each of these brings. The long table below has the same network on raw inputs. And on storms
# that the course makes, its lead over the ridge is small.

# %% [markdown]
# What is random in a training, its start and the order of the chunks, causes a part of the error, and
# an average over networks takes some of that away. This cell trains a second one, as long again; on a
# GPU, where that is quick, eight in all. With patience, set `MEMBERS` to 4 or more on any machine.

# %%
MEMBERS = training.by_device(cpu=2, gpu=8)
networks.extend(train_network(seed=9 + member) for member in range(len(networks), MEMBERS))
board.loc[f"mean of {len(networks)} networks"] = scores.rmse_by_storm(
    storms, causal_forecast, "val"
).mean()
board.round(2)

# %% [markdown]
# Is the last row of the board as good as it should be? The bar depends on the data: one number of nT
# for the storms of ACE, another for those of the course, and the physical model for OMNI's.

# %%
goal = {True: (7.55, 10.8), False: (6.7, 10.3)}[storms.source.real]
if storms.at == "bow shock":  # other storms, other rules: there the physics is the bar
    goal = board.loc["physics"]
for hours, bar in zip(["1 h", "2 h"], goal, strict=True):
    check.reached(f"RMSE in nT, {hours} ahead", board[hours].iloc[-1], at_most=bar)

# %% [markdown]
# ## The long version
#
# This notebook trains each model once, briefly. `datasets/measure_forecasts.py` did it at length: LSTMs
# with three times as many windows, several seeds of each network, and averages of two, four and eight.
# **These numbers are read from the file that it wrote**, not computed here; they are of the 80 storms
# of ACE, or of those that the course makes. `runs` is how many networks were trained, or how many
# averages were made of eight networks; the range is that of these runs.

# %%
measured = scores.measured(real=storms.source.real)
shown = measured[["weights"]].assign(runs=measured["seeds"])
for hours in ["1 h", "2 h"]:
    numbers = measured[[hours, f"from {hours}", f"to {hours}"]].to_numpy()
    shown[f"{hours}, nT"] = [f"{mean:.2f} ({a:.2f} to {b:.2f})" for mean, a, b in numbers]
shown

# %% [markdown]
# Read it from the top down. Where are the large steps: from raw to physical inputs, from the LSTM to
# the causal network, or from one network to the mean of several? And which differences are smaller
# than the range of the seeds?

# %% [markdown]
# ## What was published
#
# The published forecasts are all on the 17 test storms of Siciliano et al. (2021). LSTM is theirs, LSTM-CNN
# that of Collado-Villaverde et al. (2021), GBM, a gradient boosting machine, that of Iong et al. (2022),
# as listed by Collado-Villaverde et al. (2023), whose own network is not in this list. The models
# don't all get the same inputs.
#
# Means over *different* storms can't be compared. Persistence tells how hard a set of storms is, so
# here are the errors one hour ahead, and as a **share of persistence** on the same storms:

# %%
from helpers.data import published

literature = pd.DataFrame.from_dict(published.errors(), orient="index").filter(like="1 h").mean()
pd.DataFrame(
    {"RMSE (nT)": literature, "of persistence": literature / literature["persistence 1 h"]}
).round(2)

# %% [markdown]
# The same for your board: other storms, those of the validation split.

# %%
yours = board[["1 h"]].assign(share=board["1 h"] / board.loc["persistence", "1 h"])
yours.round(2)

# %% [markdown]
# Beware of comparing the two columns of shares. The physical model, decades old and never trained
# here, gets a share of about 0.8, near that of the best published one: so our storms may be easier
# relative to persistence. We also *chose* on these storms, whereas the published models were tested
# on theirs. And storms that the course makes can't be compared with published ones at all.
#
# The proof is a test on the very same storms. `scores.evaluate` scores **any** split that the data
# have, and puts the published errors beside those storms that were published.

# %%
tests = [split for split in storms.splits if split.startswith("test")]
for split in tests:
    scores.evaluate(storms, causal_forecast, split)
if not tests:
    print("These data have no test storms. Put a file with the split `test` into the data folder")
    print("(datasets/cards/storms.md says how), and this cell compares with the published errors.")
elif not storms.source.real:
    print("These storms are made up: no number here can be compared with a published one.")

# %% [markdown]
# ## How good is it, honestly?
#
# ### Storm by storm
#
# A mean over storms hides the storms. So here are the errors of three forecasts in each validation
# storm, sorted by the depth of the storm.

# %%
per_storm = pd.DataFrame(
    {
        name: scores.rmse_by_storm(storms, forecast, "val")["1 h"]
        for name, forecast in [
            ("persistence", persistence),
            ("physics", obrien),
            ("network", causal_forecast),
        ]
    }
)
per_storm = per_storm.loc[storms.windows["minimum"][per_storm.index].sort_values().index]
names = [
    f"{storms.windows['start'][n]:%b %Y}, {storms.windows['minimum'][n]:.0f} nT"
    for n in per_storm.index
]

# %% [markdown]
# Each row of the figure is one storm, the deepest on top. Look whether the network is better than the
# physics in *every* storm, and where the errors are largest.

# %%
marks = {
    "persistence": ("s", plots.ORANGE),
    "physics": ("^", plots.BLUE),
    "network": ("o", plots.BLACK),
}
figure, axis = plt.subplots(figsize=(6.5, 0.27 * len(names) + 0.9))
axis.hlines(range(len(names)), per_storm.min(axis=1), per_storm.max(axis=1), color="0.8")
for name, (marker, color) in marks.items():
    axis.plot(per_storm[name], range(len(names)), marker, color=color, label=name)
axis.set_yticks(range(len(names)), names)
axis.invert_yaxis()
axis.set_xlim(0)
axis.set_xlabel("RMSE one hour ahead (nT)")
axis.legend(loc="lower right")
plots.show(
    figure,
    alt="A row of three marks for each validation storm: the errors of persistence, of the physical "
    "model and of the network. The network's is the smallest in most rows.",
)

# %% [markdown]
# Is the network better than the physical model, or was it lucky with these storms? Draw storms
# from the list at random, with repetition, as many as there are, and take the mean difference;
# ten thousand times. This **bootstrap** (Efron 1979) gives an interval for the difference.

# %%
difference = per_storm["network"] - per_storm["physics"]
low, high = scores.bootstrap(difference)
print(f"network minus physics: {difference.mean():.2f} nT, 95 % between {low:.2f} and {high:.2f}")
print(f"better in {(difference < 0).sum()} of {len(difference)} storms")

# %% [markdown]
# If the whole interval is below 0, the network would most likely win on other storms *like these*,
# too. But we made our choices on these very storms, so believe a test split more. And the interval
# says nothing about storms that are stronger than any of them.

# %% [markdown]
# ### By intensity
#
# Most rows of a storm's file are quiet. How large is the error when it matters? `pooled` puts the
# rows of all validation storms into one table, what was observed beside what was forecast.


# %%
def pooled(forecast, column, ahead):
    """Return observed and forecast SYM-H and the storm of all rows of the windows, a table."""
    parts = []
    for number in storms.of("val"):
        storm = storms.storm(number)
        rows = scores.targets(storm, storms.windows.loc[number], ahead / 12)
        columns = {"observed": storm["sym_h"].to_numpy()[rows], "storm": number}
        columns["forecast"] = np.asarray(forecast(storm))[rows - ahead, column]
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


# %% [markdown]
# Sort these rows by the observed SYM-H into bins of 10 nT; all that is below -200 nT is one bin, on
# the left. Bins with less than two hours of data are left out. Where are the errors large, and where
# does the network help?

# %%
forecasts = {"persistence": persistence, "physics": obrien, "network": causal_forecast}
results = {name: pooled(forecast, 0, 12) for name, forecast in forecasts.items()}
figure, axis = plt.subplots(figsize=(6.5, 3.2))
for name, (marker, color) in marks.items():
    result = results[name]
    middle = np.maximum(np.floor(result["observed"] / 10) * 10 + 5, -205)
    squares = ((result["forecast"] - result["observed"]) ** 2).groupby(middle)
    errors = np.sqrt(squares.mean())[squares.count() >= 24]
    axis.plot(errors.index, errors, marker, color=color, linestyle="-", linewidth=0.8, label=name)
axis.set_xlabel("observed SYM-H (nT); leftmost: all below -200")
axis.set_ylabel("RMSE one hour ahead (nT)")
axis.set_ylim(0)
axis.legend()
plots.show(
    figure,
    alt="Error one hour ahead against the observed SYM-H for three forecasts: all errors are small "
    "around 0 nT and grow many times over towards the deepest values.",
)

# %% [markdown]
# The errors grow towards the deep values for all three. They grow at the right end, too, where SYM-H
# jumps *up* as a shock arrives that nobody could know of an hour before. Look where the lines of
# physics and network are far apart, and where they touch: in which hours was the lead won?

# %% [markdown]
# ### Exercise 13: too deep or too shallow?
#
# Take the rows in which SYM-H was below -200 nT. What will the **mean** of forecast minus observed be
# there, for the network one hour ahead? Set `peaks` to
#
# - `"too deep"` (below -3 nT),
# - `"about right"`, or
# - `"too shallow"` (above 3 nT).
#
# <details><summary>Hint</summary>
#
# What does a squared (or Huber) loss do with what can't be known: does it follow the extremes, or the
# middle of what may come? And how many such rows has the training seen?
# </details>

# %% tags=["exercise:peaks"]
peaks = None
### BEGIN SOLUTION
peaks = "too shallow"
### END SOLUTION

# %% [markdown]
# A column for each class of the observed SYM-H: how many rows it has, their share of all rows, and the
# number of storms they are from; then the three errors. For the network also its `bias`, the mean of
# forecast minus observed, and the class's share of its squared error. Follow the bias from left to
# right.

# %%
bins = [-1000, -200, -100, -50, 1000]
labels = ["below -200", "-200 to -100", "-100 to -50", "above -50"]
observed = results["network"]["observed"]
classes = pd.cut(observed, bins, labels=labels, right=False).rename("SYM-H (nT)")
table = (
    results["network"].groupby(classes, observed=False)["storm"].agg(rows="size", storms="nunique")
)
table.insert(1, "share of rows", table["rows"] / table["rows"].sum())
for name, result in results.items():
    error = (result["forecast"] - observed).groupby(classes, observed=False)
    table[f"RMSE {name}"] = np.sqrt(error.apply(lambda values: np.mean(values**2)))
table["bias network"] = error.mean()
table["share of squared error"] = table["rows"] * table["RMSE network"] ** 2
table["share of squared error"] /= table["share of squared error"].sum()
table.round(2).T

# %% tags=["check:peaks"]
check.peaks(peaks, table.loc["below -200", "bias network"])

# %% [markdown]
# Below -200 nT the forecast is on average **too shallow**, and the error in nT is the largest, for
# all three. Part of the bias is unavoidable: a good forecast says the middle of what may come, and
# if you pick the hours that turned out extreme, that middle was less extreme (*regression to the
# mean*). Look at the number of storms in that class, too: a handful at most, which is too few to
# judge by.
#
# Compare each class's share of the rows with its share of the squared error. So the RMSE hides
# two things: a model can be excellent in the quiet hours that nobody cares about, and two models with
# the same RMSE can differ in just those storms that everybody remembers.

# %% [markdown]
# Two more scores that you will meet: **R²** compares the squared error with that of always saying the
# mean, and the **skill** (lab 08) with that of persistence. Here for all rows together:

# %%
squares = pd.Series(
    {name: ((made["forecast"] - observed) ** 2).mean() for name, made in results.items()}
)
pd.DataFrame(
    {"R²": 1 - squares / observed.var(), "skill": 1 - squares / squares["persistence"]}
).round(3)

# %% [markdown]
# The R² of persistence is high already, for a forecast that knows nothing of the future: beating the
# mean is easy where neighbors are alike. The skill asks the harder question.

# %% [markdown]
# ### The minimum of each storm, and when it comes
#
# For those who run a power grid two numbers matter: how deep will it get, and when? For each storm,
# the deepest value that was forecast one hour ahead, beside the deepest that came.

# %%
rows = []
for number in storms.of("val"):
    storm = storms.storm(number)
    inside = scores.targets(storm, storms.windows.loc[number], 1)
    came, made = storm["sym_h"].to_numpy()[inside], causal_forecast(storm)[inside - 12, 0]
    late = 5 * (int(np.argmin(made)) - int(np.argmin(came)))
    rows.append([came.min(), made.min(), made.min() - came.min(), late])
minima = pd.DataFrame(
    rows,
    index=storms.of("val"),
    columns=["observed (nT)", "forecast (nT)", "difference (nT)", "late (minutes)"],
)
minima.sort_values("observed (nT)").round(0)

# %% [markdown]
# One number for these delays, their median. And `lateness` from above, which uses all rows and not
# one extreme value: is the network only telling the past?

# %%
print(f"median of the delay of the minimum: {minima['late (minutes)'].median():.0f} minutes")
for name, forecast in [("physics", obrien), ("network", causal_forecast)]:
    print(f"{name}: two hours ahead, {lateness(forecast)} of 120 minutes late")

# %% [markdown]
# Some minima are forecast too shallow, some too deep, and a false alarm is a mistake as well. In most
# storms the minimum comes late, by about an hour in the median; where SYM-H has two dips or a flat
# bottom, the two minima can be far apart, in either direction. One value, the extreme of a noisy curve,
# says little by itself.
#
# The last lines come back to where we started. The network is late as well, since it can't know of
# wind that has not passed L1 yet. But two hours ahead it is much less late than persistence.

# %% [markdown]
# ### What "now" means
#
# The published protocol takes SYM-H(t) as known at time t. But the value labeled t is a mean over the
# five minutes that *begin* at t: in strict timing, only that of t - 5 minutes is complete. (And in
# fact the final index is published much later; a real-time estimate is less accurate.) What does the
# strict reading cost?


# %%
usual, strict = measured.loc["causal network"], measured.loc["causal network, strict timing"]
for hours in ["1 h", "2 h"]:
    print(f"{hours}: {usual[hours]:.2f} nT, in strict timing {strict[hours]:.2f} nT (long version)")

# %% [markdown]
# One hour ahead five minutes cost more than the mean of several networks gains. Whoever compares
# forecasts has to use the same rules for all.

# %%
check.score_card()

# %% [markdown]
# ## Recap
#
# - Know the series before you model it: extremes, gaps, what each time label means.
# - Split by storm. Rows of one storm are no independent samples; shuffled, they give the answer away.
# - Persistence first. A forecast that is the past, delayed, looks perfect on a plot.
# - Put in what is known: VBs, the pressure, the delay from L1, the physical model. Here a ridge
#   regression with physics beats an LSTM without.
# - Let the network say the change, and let every step of a day be a lesson.
# - Test that nothing looks ahead: change the future, and see whether the past stays.
# - Say where it fails: below -200 nT forecasts are too shallow on average, and there the error is
#   largest.
#
# ### Go further
#
# - Average eight networks. How much does the last one bring?
# - Let the network forecast six hours ahead. When does persistence of the *mean* become better?
# - Replace Huber's loss by one that punishes missed storms more (lab 02). What happens to the peaks,
#   and what to the RMSE?
# - Let it give an interval instead of a number: train on quantiles, and count how often the truth
#   lies inside.
# - Put a file with the published test storms into the data folder and look at the comparison.
#
# ### References
#
# - J. Dungey (1961): *Interplanetary magnetic field and the auroral zones*. Physical Review
#   Letters 6, 47-48.
# - M. Sugiura (1964): *Hourly values of equatorial Dst for the IGY*. Annals of the International
#   Geophysical Year 35, 9-45.
# - R. Burton, R. McPherron and C. Russell (1975): *An empirical relationship between interplanetary
#   conditions and Dst*. Journal of Geophysical Research 80, 4204-4214.
# - B. Efron (1979): *Bootstrap methods: another look at the jackknife*. The Annals of Statistics 7,
#   1-26.
# - T. Iyemori (1990): *Storm-time magnetospheric currents inferred from mid-latitude geomagnetic
#   field variations*. Journal of Geomagnetism and Geoelectricity 42, 1249-1265.
# - W. Gonzalez et al. (1994): *What is a geomagnetic storm?* Journal of Geophysical Research 99,
#   5771-5792.
# - E. Stone et al. (1998): *The Advanced Composition Explorer*. Space Science Reviews 86, 1-22.
# - T. O'Brien and R. McPherron (2000): *An empirical phase space analysis of ring current dynamics:
#   solar wind control of injection and decay*. Journal of Geophysical Research 105, 7707-7719.
# - S. Bai, J. Z. Kolter and V. Koltun (2018): *An empirical evaluation of generic convolutional and
#   recurrent networks for sequence modeling*. arXiv:1803.01271.
# - F. Siciliano et al. (2021): *Forecasting SYM-H index: a comparison between long short-term memory
#   and convolutional neural networks*. Space Weather 19, e2020SW002589.
# - A. Collado-Villaverde, P. Muñoz and C. Cid (2021): *Deep neural networks with convolutional and
#   LSTM layers for SYM-H and ASY-H forecasting*. Space Weather 19, e2021SW002748.
# - D. Iong et al. (2022): *New findings from explainable SYM-H forecasting using gradient boosting
#   machines*. Space Weather 20, e2021SW002928.
# - A. Collado-Villaverde, P. Muñoz and C. Cid (2023): *Neural networks for operational SYM-H
#   forecasting using attention and SWICS plasma features*. Space Weather 21, e2023SW003485.
