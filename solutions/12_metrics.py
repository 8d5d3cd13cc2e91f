# %% [markdown]
# # Evaluation metrics
#
# A network says "no storm" all day and is right nearly always. Is it good? A score answers one
# question, and often it is not the one you meant. After this lab you will be able to
#
# - read a confusion matrix whichever way it is turned, and take precision, recall and F1 from it,
# - draw a ROC curve with ties, and say why it flatters a forecast of rare events,
# - choose a threshold by what mistakes cost, and test whether probabilities mean what they say,
# - tell a high R² from skill,
# - say how sure a score is,
# - find out which inputs a network uses, even if two of them are copies,
# - write a loss for the score that you need, and judge fairly whether it helps.
#
# You need about four hours. The notebook computes for about a minute on two CPU cores and takes up
# to 1.1 GB of memory. The data are the storms of lab 09: recordings where the data folder holds
# them, otherwise storms that the course makes itself. Where scikit-learn has the metric, yours is
# compared with it.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from helpers import data, plots, training
from helpers.checks import metrics as check

# %% [markdown]
# ## The question: a storm within an hour?
#
# SYM-H (lab 09) falls when a storm comes; at -50 nT and below we call it a storm. A warning is of
# use only *before*. So we ask at times when SYM-H is still above -50 nT: will it reach **-50 nT or
# less at some time within the next hour?** Yes is an **event** (1), no is not (0).
#
# Below is the deepest of the training storms. The orange-red dots are the times at which the right
# answer is yes. How large is their share?

# %%
storms = data.storms()
deepest = storms.storm(storms.windows.query("split == 'train'")["minimum"].idxmin())
sym_h, clock = deepest["sym_h"].to_numpy(float), deepest["time"].to_numpy()
lowest_next_hour = np.lib.stride_tricks.sliding_window_view(sym_h[1:], 12).min(axis=1)
coming = np.flatnonzero((sym_h[:-12] > -50) & (lowest_next_hour <= -50))

plt.rcParams["date.converter"] = "concise"
figure, axis = plt.subplots(figsize=(7.5, 3))
axis.plot(clock, sym_h, color=plots.BLUE)
axis.axhline(-50, color=plots.BLACK, linestyle="--", linewidth=1)
axis.plot(clock[coming], sym_h[coming], "o", markersize=4, color=plots.VERMILION)
axis.text(1, -45, "-50 nT", transform=axis.get_yaxis_transform(), ha="right")
axis.set_ylabel("SYM-H (nT)")
plots.show(
    figure,
    alt="SYM-H over several days: near zero, then far below -50 nT, then a slow return. The few "
    "dots are just above -50 nT, before the fall and where SYM-H crosses the line again later.",
)
print(
    f"{len(coming)} of {len(sym_h) - 12} steps of five minutes: {len(coming) / (len(sym_h) - 12):.1%}"
)

# %% [markdown]
# Few, even in a storm; and not only before the great fall: each time that SYM-H dips below the
# line again, events come before.

# %% [markdown]
# To learn from, we make a row every 15 minutes inside the evaluation windows of the storms (lab
# 09): the 20 physical inputs of that lab (nothing in them looks ahead), SYM-H `now`, the value to
# `come` in an hour, and the `lowest` of the twelve values until then.


# %%
from helpers.symh import features


def rows_of(number):
    """Return a table of a storm, a row each 15 minutes: the inputs, and what SYM-H will do."""
    storm, window = storms.storm(number), storms.windows.loc[number]
    sym_h = storm["sym_h"].to_numpy(float)
    hour = np.lib.stride_tricks.sliding_window_view(sym_h[1:], 12)
    inside = storm["time"].between(window["start"], window["end"])[: len(hour)]
    table = features.inputs(storm, storms.at)[: len(hour)]
    table = table.assign(storm=number, now=sym_h[: len(hour)])
    table = table.assign(come=hour[:, -1], lowest=hour.min(axis=1))
    return table[inside][::3]


# %% [markdown]
# The split goes by storm, as always. This time there are three parts: `learn`, to train on; `tune`,
# every fifth of the training storms, to choose a threshold with; and `test`, the validation storms
# of lab 09, to score on. How rare is an event?

# %%
numbers = np.array(storms.of("train"))
held = np.arange(len(numbers)) % 5 == 4
groups = {"learn": numbers[~held], "tune": numbers[held], "test": storms.of("val")}
every = {name: pd.concat([rows_of(n) for n in group]) for name, group in groups.items()}
learn, tune, test = (table[table["now"] > -50] for table in every.values())
for name, table in zip(groups, (learn, tune, test), strict=True):
    events = table["lowest"] <= -50
    print(
        f"{name:5} {table['storm'].nunique():3} storms, {len(table):6} rows,"
        f" {events.sum():5} events ({events.mean():.1%})"
    )

# %% [markdown]
# Events are rare, though each storm was chosen because something happened. In a whole year they
# would be rarer still.
#
# `arrays` makes of such a table what the network needs, scaled by the mean and the spread of the
# `learn` rows:

# %%
names = list(learn.columns[:20])
center, spread = learn[names].mean(), learn[names].std()


def arrays(table):
    """Return the scaled inputs (n, 20) and the truth (n,), 1 for an event."""
    x = ((table[names] - center) / spread).to_numpy(np.float32)
    return x, (table["lowest"] <= -50).to_numpy(int)


# %% [markdown]
# `x` and `y` are the rows to learn from. `truth` is what happened in the test storms, 0 or 1 for
# each row, and `which_storm` the storm of the row. All of them stay as they are to the end of the
# lab.

# %%
(x, y), (x_tune, y_tune), (x_test, truth) = (arrays(table) for table in (learn, tune, test))
which_storm = test["storm"].to_numpy()
print(x.shape, x_tune.shape, x_test.shape)

# %% [markdown]
# A small network with dropout. Its last layer gives a **logit**; the sigmoid of the logit is a
# probability. `fitted` returns a trained network, and `logits` what it says; we shall train a few
# more like it. The loss is cross-entropy unless we name another.


# %%
import keras
from keras import layers


def network(inputs, hidden=(32, 32), dropout=0.2, input_dropout=0.0):
    stack = [keras.Input((inputs,)), layers.Dropout(input_dropout)]
    for units in hidden:
        stack += [layers.Dense(units, activation="relu"), layers.Dropout(dropout)]
    return keras.Sequential([*stack, layers.Dense(1)])


def fitted(model, x, y, loss=None, epochs=6, batch=512, rate=1e-2, class_weight=None):
    """Return the model, trained by Adam with a learning rate that falls to zero."""
    loss = loss or keras.losses.BinaryCrossentropy(from_logits=True)
    falling = keras.optimizers.schedules.CosineDecay(rate, epochs * math.ceil(len(x) / batch))
    model.compile(keras.optimizers.Adam(falling), loss)
    y = y[:, None].astype(np.float32)
    model.fit(x, y, batch, epochs, verbose=0, class_weight=class_weight)
    return model


def logits(model, x):
    return keras.ops.convert_to_numpy(model(x, training=False))[:, 0].astype(float)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# %% [markdown]
# Training takes a few seconds. On average, do the events of the test storms get a higher
# probability than the non-events?

# %%
keras.utils.set_random_seed(12)
model = fitted(network(20), x, y)
probability = sigmoid(logits(model, x_test))
for name, rows in [("events", truth == 1), ("non-events", truth == 0)]:
    print(f"mean probability of the {name}: {probability[rows].mean():.3f}")

# %% [markdown]
# ## The trap of accuracy
#
# **Accuracy** is the share of right answers. Two forecasters: `"never"` never warns. The other one,
# `"model"`, asks the network and warns where the probability of an event is at least 5 %.
#
# ### Exercise 1: who is more accurate?
#
# Set `more_accurate` to `"never"` or `"model"`, **before** you run the cell after it.
#
# <details><summary>Hint</summary>
#
# Say 5 rows of 100 are events. How many mistakes does *never* make? And if 5 in 100 rows are a
# false alarm, how many events may the other one miss?
# </details>

# %% tags=["exercise:accuracy_trap"]
more_accurate = None
### BEGIN SOLUTION
more_accurate = "never"
### END SOLUTION

# %% [markdown]
# When your answer stands, run the next cell. Beside the accuracy it prints which share of the
# events each of the two has warned of.

# %%
warned = (probability >= 0.05).astype(int)
said = {"never": np.zeros_like(truth), "model": warned}
accuracies = {name: float(np.mean(answer == truth)) for name, answer in said.items()}
for name, answer in said.items():
    found = answer[truth == 1].mean()
    print(f"{name:6} accuracy {accuracies[name]:.3f}, events warned of: {found:.0%}")

# %% tags=["check:accuracy_trap"]
check.accuracy_trap(more_accurate, accuracies)

# %% [markdown]
# *Never* has a high accuracy, and has never warned of anything. Accuracy counts a missed event and
# a false alarm alike; and since events are rare, it hardly depends on what becomes of them. We need
# scores that keep the two kinds of mistakes apart.

# %% [markdown]
# ## The confusion matrix
#
# Count each pair of truth and answer. Here and in scikit-learn, **rows are the truth, columns the
# prediction**:
#
# | | predicted 0 | predicted 1 |
# |---|---|---|
# | **true 0** | true negative (TN) | false positive (FP), a false alarm |
# | **true 1** | false negative (FN), a miss | true positive (TP), a hit |
#
# Some lecture slides, and most such tables of weather forecasters, put the **prediction in the
# rows**. Then misses and false alarms change places, and no number warns you. So whenever you see
# a matrix, look for the labels first. If there are none, the row sums help: in our orientation
# they are how often each class really occurs.

# %% [markdown]
# ### Exercise 2: confusion
#
# Write `confusion(truth, predicted, classes)`. `truth` and `predicted` are arrays (n,) of class
# numbers 0 ... classes - 1. Return the array (classes, classes) of counts: in row i and column j,
# how often the truth is i and the prediction j. A class that doesn't occur has zeros.
#
# For `truth = [1, 0, 1, 1, 0, 0]`, `predicted = [1, 1, 0, 0, 0, 0]` and 2 classes it is `[[2, 1],
# [2, 1]]`; with 3 classes it gets one more row and one more column, of zeros.
#
# <details><summary>Hint 1</summary>
#
# A loop over `zip(truth, predicted)` that adds 1 at one place of a matrix of zeros is fine.
# </details>
# <details><summary>Hint 2</summary>
#
# Without a loop: `np.add.at(matrix, (truth, predicted), 1)`. (`matrix[truth, predicted] += 1`
# counts a pair that comes twice only once.)
# </details>


# %% tags=["exercise:confusion"]
def confusion(truth, predicted, classes):
    """Return the counts (classes, classes): rows are the true classes, columns the predicted."""
    ### BEGIN SOLUTION
    matrix = np.zeros((classes, classes), int)
    np.add.at(matrix, (np.asarray(truth), np.asarray(predicted)), 1)
    return matrix
    ### END SOLUTION


# %% tags=["check:confusion", "nbval-check-output"]
check.confusion(confusion)

# %% [markdown]
# scikit-learn's matrix of the warnings above, as a labeled table that nobody can misread:

# %%
from sklearn import metrics

matrix = metrics.confusion_matrix(truth, warned)
pd.DataFrame(matrix, ["no event", "event"], ["no warning", "warning"])

# %% [markdown]
# Compare two numbers: the events without a warning, and the warnings without an event. A model
# that warns from 5 % on prefers false alarms to misses. Whether it should depends on what the two
# cost; we come to that.

# %% [markdown]
# ## Precision, recall, F1
#
# Three scores forget the true negatives, which make accuracy so high:
#
# - **precision** = TP / (TP + FP): the share of the warnings that were right,
# - **recall** = TP / (TP + FN): the share of the events that were warned of,
# - **F1** = 2 · precision · recall / (precision + recall), their **harmonic mean**.
#
# Why harmonic? Say somebody always warns, and 2 % of the rows are events: recall 1, precision 0.02.
# The arithmetic mean, 0.51, finds that half good; the harmonic mean is 2 · 0.02 / 1.02 = 0.039. It
# stays near the smaller of the two: F1 is high only if both are. It is also 2 TP / (2 TP + FP +
# FN), a share in which each hit counts twice.
#
# Each field has its own words for the same counts, and one abbreviation for two different things:
#
# | word | meaning |
# |---|---|
# | sensitivity, hit rate, POD (probability of detection) | recall |
# | false alarm **ratio**, FAR (so in lab 10) | FP / (TP + FP) = 1 - precision |
# | false alarm **rate**, also FAR, and false positive rate | FP / (FP + TN) |
# | specificity | TN / (FP + TN) = 1 - false alarm rate |
# | CSI (critical success index), threat score | TP / (TP + FP + FN) |
#
# The ratio asks *how many of my warnings are false?*, the rate *how many of the quiet rows do I
# disturb?* (Barnes et al. 2009: 10 of 26 articles used them inconsistently with today's
# definitions.)

# %% [markdown]
# ### Exercise 3: precision, recall, F1
#
# Write `precision_recall_f1(truth, predicted)` for arrays (n,) of 0 and 1. Return the three
# numbers. Where a denominator is 0, the number is 0.0. F1 is 0.0, too, if there is no hit.
#
# With `truth = [1, 1, 1, 1, 0, 0]` and `predicted = [1, 0, 0, 0, 1, 0]` there are one hit, three
# misses and one false alarm: precision 1/2, recall 1/4, F1 1/3.
#
# <details><summary>Hint 1</summary>
#
# `hits = np.sum((truth == 1) & (predicted == 1))`, and so on for misses and false alarms.
# </details>
# <details><summary>Hint 2</summary>
#
# `a / b if b else 0.0` divides only where it may.
# </details>


# %% tags=["exercise:precision_recall_f1"]
def precision_recall_f1(truth, predicted):
    """Return precision, recall and F1 of 0/1 predictions (n,), 0.0 where one is undefined."""
    ### BEGIN SOLUTION
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    hits = np.sum((truth == 1) & (predicted == 1))
    misses = np.sum((truth == 1) & (predicted == 0))
    false_alarms = np.sum((truth == 0) & (predicted == 1))
    precision = hits / (hits + false_alarms) if hits + false_alarms else 0.0
    recall = hits / (hits + misses) if hits + misses else 0.0
    f1 = 2 * hits / (2 * hits + misses + false_alarms) if hits else 0.0
    return float(precision), float(recall), float(f1)
    ### END SOLUTION


# %% tags=["check:precision_recall_f1", "nbval-check-output"]
check.precision_recall_f1(precision_recall_f1)

# %% [markdown]
# Four forecasters: the two from above, one that always warns, and the network with a threshold of
# one half. Which column would you believe?

# %%
said = {
    "never": 0 * truth,
    "always": 0 * truth + 1,
    "at 5 %": warned,
    "at 50 %": probability >= 0.5,
}
board = {}
for name, answer in said.items():
    three = metrics.precision_recall_fscore_support(
        truth, answer, average="binary", zero_division=0
    )[:3]
    board[name] = [
        metrics.accuracy_score(truth, answer),
        *three,
        metrics.jaccard_score(truth, answer, zero_division=0),
    ]
pd.DataFrame(board, ["accuracy", "precision", "recall", "F1", "CSI"]).T.round(3)

# %% [markdown]
# F1 and CSI give *never* a zero, and *always* very little. From 5 % to 50 % precision rises and
# recall falls: one network, two points of a curve. (scikit-learn calls CSI the Jaccard score. It is
# F1 / (2 - F1), so both always rank forecasters in the same order.)

# %% [markdown]
# ### More than two classes
#
# Now all rows, storms in progress too, and three classes of SYM-H **in one hour**: 0 quiet, 1
# moderate (-50 nT and below), 2 intense (-100 nT and below). The forecast is the physical model of
# lab 09. In the figure of the matrix the color shows the mistakes only, and an empty field is a
# zero. Where do the mistakes lie?

# %%
whole = every["test"]
come, now = whole["come"].to_numpy(), whole["now"].to_numpy()
physics = now + 20 * whole["physics_1h"].to_numpy(float)  # the input holds the change / 20 nT
kinds = ["quiet", "moderate", "intense"]
true_class = (come <= -50).astype(int) + (come <= -100)
forecast_class = (physics <= -50).astype(int) + (physics <= -100)
figure, axis = plt.subplots(figsize=(4, 3.4))
plots.confusion(true_class, forecast_class, kinds, axis)
plots.show(
    figure,
    alt="A matrix of three true by three predicted classes. Most counts are on the diagonal, by far "
    "the most in quiet; the mistakes lie beside the diagonal, hardly any in the far corners.",
)

# %% [markdown]
# Nearly all mistakes lie next to the diagonal: quiet for moderate, moderate for intense, and the
# reverse. Each class has its own precision, recall and F1, as *this class against the rest*. To
# get one number, there are three ways:
#
# - **macro**: the mean of the F1 of the classes; each class counts alike,
# - **weighted**: the same mean, weighted by how often each class truly occurs,
# - **micro**: add up the hits, misses and false alarms of all classes first, then one F1.
#
# Each mistake is a miss of one class and a false alarm of another. So with all classes counted,
# micro F1 is nothing but the accuracy, with its trap.

# %% [markdown]
# ### Exercise 4: averages
#
# Write `averages(matrix)` for a confusion matrix (k, k) of counts, rows true. Return (macro, micro,
# weighted) F1. The F1 of a class without any row or prediction is 0.0, and it counts in the macro
# mean.
#
# For `[[8, 2], [1, 1]]` the F1 of the classes are 16/19 and 2/5. Macro is their mean, 0.621; micro
# is 9/12; weighted is (10 · 16/19 + 2 · 2/5) / 12 = 0.768.
#
# <details><summary>Hint 1</summary>
#
# For all classes at once: `hits = np.diag(matrix)`, and 2 hits / (row sums + column sums) is their
# F1.
# </details>
# <details><summary>Hint 2</summary>
#
# `np.divide(a, b, out=np.zeros(len(a)), where=b > 0)` leaves zeros where b is 0. `np.average` takes
# `weights`.
# </details>


# %% tags=["exercise:averages"]
def averages(matrix):
    """Return macro, micro and weighted F1 from a confusion matrix (k, k), rows true."""
    ### BEGIN SOLUTION
    matrix = np.asarray(matrix)
    hits, true, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    both = true + predicted
    f1 = np.divide(2 * hits, both, out=np.zeros(len(hits)), where=both > 0)
    micro = hits.sum() / matrix.sum()
    return float(f1.mean()), float(micro), float(np.average(f1, weights=true))
    ### END SOLUTION


# %% tags=["check:averages", "nbval-check-output"]
check.averages(averages)

# %% [markdown]
# scikit-learn prints the same for the matrix above: first a line for each class, then the
# averages. Which of the three averages is the lowest, and why?

# %%
print(metrics.classification_report(true_class, forecast_class, target_names=kinds, digits=3))

# %% [markdown]
# (`support` is the number of true rows, and the report calls micro F1 by its other name,
# accuracy.) The frequent quiet class lifts two of the averages. Macro tells more about the rare
# classes. So the first question about any multi-class score is which average it is.

# %% [markdown]
# ## ROC: all thresholds at once
#
# Back to events. Let the threshold fall from above the highest score to the lowest. At each
# threshold there are a true positive rate (recall) and a false positive rate FP / (FP + TN). The
# curve of all these points is the **ROC** (receiver operating characteristic). By hand:
#
# | truth | 1 | 0 | 1 | 0 | 0 |
# |---|---|---|---|---|---|
# | score | 0.9 | 0.6 | 0.6 | 0.2 | 0.2 |
#
# As (false, true) positive rate: above 0.9 nothing is warned of, (0, 0). At 0.9 one of two events:
# (0, 1/2). At 0.6 **two rows at once**, since no threshold can part them: (1/3, 1). At 0.2 all:
# (1, 1). Equal scores are **ties**, and give one point.

# %% [markdown]
# ### Exercise 5: ROC
#
# Write `roc(truth, score)`: two arrays, the false and the true positive rates, first (0, 0), then
# one point for each *different* score, from the highest to the lowest. A row counts as predicted 1
# if its score is **at least** the threshold. If only one class occurs, one of the rates is
# undefined: raise a `ValueError`, best with a message that says so.
#
# For the table above: `[0, 0, 1/3, 1]` and `[0, 1/2, 1, 1]`.
#
# <details><summary>Hint 1</summary>
#
# `np.unique(score)[::-1]` are the thresholds. A loop over them is fine; 0 goes in front.
# </details>
# <details><summary>Hint 2</summary>
#
# Quicker: sort by falling score, `np.cumsum` of truth and of 1 - truth, and keep the last row of
# each tie.
# </details>


# %% tags=["exercise:roc"]
def roc(truth, score):
    """Return false and true positive rates from (0, 0) to (1, 1), one for each different score."""
    ### BEGIN SOLUTION
    truth, score = np.asarray(truth), np.asarray(score)
    if truth.min() == truth.max():
        raise ValueError("a ROC curve needs rows of both classes")
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)
    hits, false_alarms = np.cumsum(truth[order])[last], np.cumsum(1 - truth[order])[last]
    return np.append(0, false_alarms / false_alarms[-1]), np.append(0, hits / hits[-1])
    ### END SOLUTION


# %% tags=["check:roc:2", "nbval-check-output"]
check.roc(roc)

# %% [markdown]
# Three scores for our question:
#
# - the network,
# - the physical model: the lower its forecast, the higher the score (unfair to the physics, which
#   forecasts the end of the hour, not its lowest value),
# - SYM-H now: the lower, the higher the score.
#
# On the left are their ROC curves: the closer to the upper left corner, the better; the diagonal
# is chance. On the right, in the same colors, is **precision against recall**: the closer to the
# upper right corner, the better. SYM-H is in whole nT, so all rows at -49 are one tie, and on the
# right its curve is flat up to there. Do the two panels tell the same story?

# %%
physics_test = test["now"].to_numpy() + 20 * test["physics_1h"].to_numpy(float)
scores = {"network": probability, "physics": -physics_test, "SYM-H now": -test["now"].to_numpy()}
styles = [(plots.BLACK, "-"), (plots.BLUE, "--"), (plots.ORANGE, "-")]
figure, axes = plt.subplots(1, 2, figsize=(8, 3.6))
for (name, values), (color, style) in zip(scores.items(), styles, strict=True):
    axes[0].plot(*metrics.roc_curve(truth, values)[:2], style, color=color, label=name)
    precision, recall, _ = metrics.precision_recall_curve(truth, values)
    precision[-1] = precision[-2]  # the first step begins at recall 0
    axes[1].plot(recall, precision, style, color=color, drawstyle="steps-post")
axes[0].plot([0, 1], [0, 1], ":", color="gray")
axes[1].axhline(truth.mean(), linestyle=":", color="gray")
axes[0].set(xlabel="false positive rate", ylabel="recall")
axes[1].set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1))
axes[0].legend()
plots.show(
    figure,
    alt="Left, three ROC curves far above the diagonal; that of SYM-H now is the lowest. Right, "
    "precision against recall: all three fall far below 1 as recall grows, SYM-H now lies far below "
    "the other two. A dotted line near the bottom is the share of events.",
)

# %% [markdown]
# On the left the network looks nearly perfect, on the right it does not (Saito and Rehmsmeier
# 2015). Both are right. The ROC counts the false alarms as a share of the rows *without* an event,
# of which there are many. Walk along it to a false positive rate of 5 %, which looks tiny.
#
# `recall_at` returns the highest recall within that rate. It looks for the threshold on the test
# rows themselves: fair for judging an order, but nobody could have known this threshold
# beforehand.

# %%
RATE = 0.05


def recall_at(truth, score, rate=RATE):
    """Return the highest recall with a false positive rate of at most `rate`."""
    false_positive_rate, true_positive_rate, _ = metrics.roc_curve(
        truth, score, drop_intermediate=False
    )
    return true_positive_rate[false_positive_rate <= rate].max()


# %% [markdown]
# In rows instead of shares: how many false alarms come with each hit?

# %%
recall = recall_at(truth, probability)
hits, false_alarms = recall * truth.sum(), RATE * (truth == 0).sum()
print(f"recall {recall:.2f} at a false alarm rate of at most {RATE:.0%}: {hits:.0f} hits, at most")
print(f"{false_alarms:.0f} false alarms, precision at least {hits / (hits + false_alarms):.2f}")

# %% [markdown]
# Non-events are so many that 5 % of them are many beside the hits. Where events are ten times
# rarer, the same point of the ROC would have about ten times as many false alarms for each hit, and
# the curve would look just the same, if storms and quiet times themselves look as they do here.
# **The ROC doesn't see how rare events are; precision does.** The dotted line on the right is the
# precision that a coin would reach.

# %% [markdown]
# ### The area under the curve
#
# The area under the ROC, **AUC**, is 1 at best and 1/2 for a coin. It has a second meaning: take
# an event and a non-event at random; the AUC is the probability that the event has the higher
# score, a tie counting half (Hanley and McNeil 1982). (**Average precision** is the area under the
# right panel's curve, taken in steps.)
#
# The cell below counts all such pairs for the network. Is their share the AUC? And do AUC and
# average precision put the three scores in the same order?

# %%
higher = probability[truth == 1][:, None] - probability[truth == 0]
pairs = np.mean(higher > 0) + np.mean(higher == 0) / 2
print(f"{higher.size} pairs, {pairs:.6f} in the right order")
del higher
for name, values in scores.items():
    area = metrics.roc_auc_score(truth, values)
    average = metrics.average_precision_score(truth, values)
    print(f"{name:9}: AUC {area:.6f}, average precision {average:.3f}")

# %% [markdown]
# The share of pairs *is* the AUC of the network. So the AUC judges the **order** alone: any
# strictly rising function of the score has the same AUC. Whether 0.3 means 30 % is a different
# question. And AUC and average precision needn't agree on which is best: the AUC counts every pair
# alike, average precision looks most at the top of the list.

# %% [markdown]
# ## Choose a threshold by its cost
#
# A threshold is a decision, and what it should be depends on costs. Say a miss costs 20, a false
# alarm 1, in whatever unit. Then we can add up the cost of any threshold.

# %% [markdown]
# ### Exercise 6: the cheapest threshold
#
# Write `best_threshold(truth, score, miss, false_alarm)`: the threshold with the least total cost
# if `score >= threshold` is a warning (or an *alarm*). `miss` is the cost of an event without a
# warning, `false_alarm` of a warning without an event. Candidates are all scores that occur, and
# `np.inf`, which never warns. Of several with equal cost take the highest.
#
# `truth = [0, 1, 0, 1]`, `score = [0.1, 0.3, 0.6, 0.8]`: with miss 3 and false alarm 1, the
# threshold 0.3 costs one false alarm, 1; with 1 and 3 the best is 0.8, one miss.
#
# <details><summary>Hint 1</summary>
#
# A loop over `[np.inf, *np.unique(score)[::-1]]`, from the highest on, is fine. Keep the best so
# far, and replace it only if a cost is *less*.
# </details>
# <details><summary>Hint 2</summary>
#
# For many rows, sort once and use `np.cumsum`, as for the ROC: the misses are all events less the
# hits.
# </details>


# %% tags=["exercise:best_threshold"]
def best_threshold(truth, score, miss, false_alarm):
    """Return the threshold of the least total cost; np.inf never warns."""
    ### BEGIN SOLUTION
    truth, score = np.asarray(truth), np.asarray(score)
    thresholds, place = np.unique(-score, return_inverse=True)  # from the highest score on
    events = np.bincount(place, weights=truth)
    others = np.bincount(place, weights=1 - truth)
    hits, false_alarms = (np.append(0, np.cumsum(counts)) for counts in (events, others))
    total = miss * (truth.sum() - hits) + false_alarm * false_alarms
    return np.append(np.inf, -thresholds)[np.argmin(total)]
    ### END SOLUTION


# %% tags=["check:best_threshold", "nbval-check-output"]
check.best_threshold(best_threshold)

# %% [markdown]
# The threshold is chosen on the `tune` storms, and must prove itself on `test`. And if the
# probabilities are right, no search is needed. Silence has the expected cost p · miss, a warning
# (1 - p) · false alarm: the warning is cheaper from p = false alarm / (miss + false alarm) on.
# This is the *formula* below.

# %%
MISS, FALSE_ALARM = 20, 1
formula = FALSE_ALARM / (MISS + FALSE_ALARM)


def cost_per_1000(truth, probability, threshold):
    """Return the cost of 1000 rows with a warning at and above the threshold."""
    warning = probability >= threshold
    misses, false_alarms = np.mean((truth == 1) & ~warning), np.mean((truth == 0) & warning)
    return 1000 * (MISS * misses + FALSE_ALARM * false_alarms)


# %% [markdown]
# The cost against the threshold for both parts, with the threshold that your function chooses on
# `tune`. Is the minimum sharp or broad? And how far off are the formula and a threshold of 0.5?

# %%
parts = {"tune": (y_tune, sigmoid(logits(model, x_tune))), "test": (truth, probability)}
grid = np.geomspace(0.002, 1, 200)
curves = {name: [cost_per_1000(*pair, t) for t in grid] for name, pair in parts.items()}
chosen, best = (best_threshold(*pair, MISS, FALSE_ALARM) for pair in parts.values())
figure, axis = plt.subplots(figsize=(6.5, 3.2))
for (name, curve), color in zip(curves.items(), (plots.BLUE, plots.BLACK), strict=True):
    axis.loglog(grid, curve, color=color, label=name)
for name, threshold, height in [
    ("from tune", chosen, 0.9),
    ("formula", formula, 0.8),
    ("0.5", 0.5, 0.1),
]:
    axis.axvline(threshold, linestyle=":", color="gray")
    axis.annotate(f" {name}", (threshold, height), xycoords=("data", "axes fraction"))
axis.set(xlabel="threshold", ylabel="cost of 1000 rows")
axis.set_yticks([100, 200, 500, 1000], ["100", "200", "500", "1000"])
axis.set_yticks([], minor=True)
axis.legend(loc="upper left", bbox_to_anchor=(0.67, 1))
plots.show(
    figure,
    alt="Cost against the threshold, both axes logarithmic, for tuning and test storms. Both fall "
    "to a broad minimum below 0.1 and rise steeply towards 1. Dotted lines mark the threshold "
    "chosen on tune and that of the formula, where test costs little more than at best, and 0.5, "
    "where it costs several times as much.",
)

# %% [markdown]
# To the left of the minimum false alarms add to the cost, to the right misses, each of which costs
# as much as 20 false alarms. Now the same on `test` in numbers, and beside it what it costs never
# to warn and always to warn. The last line isn't fair: it has seen the answers.

# %%
candidates = {"never": np.inf, "always": 0, "0.5": 0.5, "from tune": chosen, "formula": formula}
candidates["best on test (not fair)"] = best
for name, threshold in candidates.items():
    total = cost_per_1000(truth, probability, threshold)
    print(f"{name:23} threshold {threshold:.3f}: cost {total:6.1f}")

# %% [markdown]
# Where a miss costs so much, one half is a poor threshold: it is right where both mistakes cost
# the same. The minimum is broad, so a threshold from a dozen other storms costs little more than
# the best, if you compare it with one half. But they are other storms, with another share of
# events (it is printed at the top). The formula needs no search, and here it does about as well or
# better. It rests on an *if*: that the probabilities are right.

# %% [markdown]
# ## Calibration: does 30 % mean 30 %?
#
# A forecast is **calibrated** if of all rows with a forecast of 30 %, 30 % turn out to be events,
# and so on for every other number. To test it, sort the rows into bins by their probability, and
# in each bin compare the mean forecast with the share of events: a **reliability diagram**.
#
# ### Exercise 7: calibration
#
# Write `calibration(truth, probability, bins)` for `bins` bins of equal width from 0 to 1. Return
# two arrays: for each bin that isn't empty the mean probability (`forecast`) and the share of
# events (`observed`). The last bin includes 1.
#
# `truth = [0, 1, 1, 1]`, `probability = [0.1, 0.3, 0.9, 1.0]` and two bins give `[0.2, 0.95]` and
# `[0.5, 1]`.
#
# <details><summary>Hint 1</summary>
#
# The number of a row's bin is `probability * bins`, rounded down, and at most `bins - 1`.
# </details>
# <details><summary>Hint 2</summary>
#
# In a loop over the bins, skip those without a row: a mean of nothing is NaN.
# </details>


# %% tags=["exercise:calibration"]
def calibration(truth, probability, bins):
    """Return the mean probability and the share of events of each bin that isn't empty."""
    ### BEGIN SOLUTION
    truth, probability = np.asarray(truth), np.asarray(probability)
    place = np.minimum((probability * bins).astype(int), bins - 1)
    filled = np.unique(place)
    forecast = np.array([probability[place == k].mean() for k in filled])
    observed = np.array([truth[place == k].mean() for k in filled])
    return forecast, observed
    ### END SOLUTION


# %% tags=["check:calibration", "nbval-check-output"]
check.calibration(calibration)

# %% [markdown]
# Common advice for rare events is to weight them: with `class_weight` each event counts as many
# times as it takes to balance the classes. What does that do to the order of the rows, and what to
# the probabilities? And what does each network cost at the threshold of the formula?
#
# One more score is printed: the **Brier score** is the mean of (probability - truth)², lower is
# better (Brier 1950; he summed over both classes: twice this). The second network is like the
# first but weighted: a few seconds.

# %%
keras.utils.set_random_seed(12)
balance = {0: 1.0, 1: float(np.mean(y == 0) / np.mean(y == 1))}
weighted = sigmoid(logits(fitted(network(20), x, y, class_weight=balance), x_test))
print(f"an event weighs {balance[1]:.1f}; share of events in test: {truth.mean():.3f}")
for name, p in [("plain", probability), ("weighted", weighted)]:
    print(
        f"{name:8} AUC {metrics.roc_auc_score(truth, p):.3f}, mean probability {p.mean():.3f},"
        f" Brier score {metrics.brier_score_loss(truth, p):.4f},"
        f" cost by the formula {cost_per_1000(truth, p, formula):.1f}"
    )

# %% [markdown]
# The two networks have nearly the same AUC: both put the rows in about the same order. But look at
# the mean probability and the Brier score. Now the reliability diagram: a calibrated forecast lies
# on the diagonal. How many rows make each point?

# %%
from sklearn.calibration import calibration_curve

figure, axis = plt.subplots(figsize=(4.6, 4))
axis.plot([0, 1], [0, 1], ":", color="gray")
for name, p, color in [
    ("plain", probability, plots.BLACK),
    ("weighted", weighted, plots.VERMILION),
]:
    observed, forecast = calibration_curve(truth, p, n_bins=10)
    axis.plot(forecast, observed, "o-", color=color, label=name)
    counts = np.histogram(p, bins=10, range=(0, 1))[0]
    print(f"rows per bin, {name:8}", *(f"{count:5}" for count in counts))
axis.set(xlabel="mean probability forecast", ylabel="share of events")
axis.legend()
plots.show(
    figure,
    alt="Reliability diagram. The plain network runs near the diagonal, with some scatter; the "
    "weighted one lies far below it.",
)

# %% [markdown]
# The plain network is near the diagonal. Where it is above, it says too little; where below, too
# much (to know which it does on the whole, compare its mean probability with the share of events).
# Its points on the right are few rows each, from a few storms. The weighted one lies far below the
# diagonal: where it says one half, far fewer rows are events. It answers for a world in which
# events are as frequent as non-events. The order stays nearly the same (the AUC differs by less
# than the width of the interval that we shall find below); the probabilities are spoiled, and the
# formula above no longer holds: compare the costs.

# %% [markdown]
# ## Scores of numbers
#
# A forecast of SYM-H itself is judged by its errors. With f the forecast and o what was observed:
#
# - **MAE**, the mean of |f - o|, and **RMSE**, the root of the mean of (f - o)²: in nT. The RMSE
#   counts large errors more.
# - **R²** = 1 - sum (f - o)² / sum (o - mean of o)²: compared with always saying the mean. R² uses
#   the mean of the *test* values, which nobody knows beforehand.
# - **Skill** = 1 - MSE(f) / MSE(reference): the same, compared with a forecast of your choice. The
#   natural one here is persistence (Murphy 1988).

# %% [markdown]
# ### Exercise 8: four scores
#
# Write `regression(observed, forecast, reference)` for three arrays (n,), where `reference` holds
# the forecasts of the reference. Return (mae, rmse, r2, skill). If the denominator of R² or of the
# skill is 0, the score is 1.0 for a forecast without any error, else 0.0.
#
# `observed = [0, -10, -20]`, `forecast = [0, -10, -14]`, `reference = [10, 0, -10]`: MAE 2, RMSE
# √12 = 3.46, R² = 1 - 36/200 = 0.82, skill 1 - 36/300 = 0.88.
#
# <details><summary>Hint</summary>
#
# R² and skill have one form, 1 - a / b, with the sum of squared errors a. Write a small function
# for it, with the rule for b = 0.
# </details>


# %% tags=["exercise:regression"]
def regression(observed, forecast, reference):
    """Return MAE, RMSE, R² and the skill against the reference, of arrays (n,)."""
    ### BEGIN SOLUTION
    observed, forecast, reference = (np.asarray(v, float) for v in (observed, forecast, reference))
    error = forecast - observed
    squares = np.sum(error**2)

    def better_than(other):
        if other == 0:
            return 1.0 if squares == 0 else 0.0
        return float(1 - squares / other)

    r2 = better_than(np.sum((observed - observed.mean()) ** 2))
    skill = better_than(np.sum((reference - observed) ** 2))
    return float(np.mean(np.abs(error))), float(np.sqrt(np.mean(error**2))), r2, skill
    ### END SOLUTION


# %% tags=["check:regression", "nbval-check-output"]
check.regression(regression)

# %% [markdown]
# SYM-H one hour ahead, all rows of the test storms. Persistence says that nothing will change: it
# repeats the last value. Which R² do you expect it to have? The first row is a constant, the mean
# of `learn`.

# %%
persistence_error = metrics.mean_squared_error(come, now)
numeric = {}
for name, forecast in [
    ("mean of learn", np.full(len(come), every["learn"]["come"].mean())),
    ("persistence", now),
    ("physics", physics),
]:
    error = metrics.mean_squared_error(come, forecast)
    numeric[name] = [
        metrics.mean_absolute_error(come, forecast),
        np.sqrt(error),
        metrics.r2_score(come, forecast),
        1 - error / persistence_error,
    ]
pd.DataFrame(numeric, ["MAE (nT)", "RMSE (nT)", "R²", "skill"]).T.round(3)

# %% [markdown]
# Persistence has a high R² and, by definition, no skill. It beats the *mean*, which is easy where
# an hour is much like the next. Look at the last two columns in the row of the physical model:
# from R² one would say that little is won, while the skill says how much of the squared error is
# gone. **A high R² without skill is the past, delayed.** Choose the reference that somebody would
# really use.

# %% [markdown]
# ## Learned or overfitted?
#
# Scores belong to data, and on the training rows they flatter. A network that is far too large,
# with neither dropout nor a falling learning rate, trains for twelve epochs, about seven seconds.
# After each epoch it is scored on `learn` and on `test`.

# %%
keras.utils.set_random_seed(12)
large = network(20, hidden=(256, 256), dropout=0.0)
bce = keras.losses.BinaryCrossentropy(from_logits=True)
large.compile(keras.optimizers.Adam(2e-3), bce)
by_epoch = []
for _ in training.track(range(12)):
    large.fit(x, y[:, None].astype(np.float32), 512, 1, verbose=0)
    row = {}
    for part, inputs, answer in [("learn", x, y), ("test", x_test, truth)]:
        p = sigmoid(logits(large, inputs))
        row[f"loss, {part}"] = metrics.log_loss(answer, p)
        row[f"1 - AUC, {part}"] = 1 - metrics.roc_auc_score(answer, p)
    row["test events below 1 %"] = np.mean(p[truth == 1] < 0.01)
    by_epoch.append(row)
by_epoch = pd.DataFrame(by_epoch, index=range(1, 13))

# %% [markdown]
# On the left is the cross-entropy, on the right the share of pairs in the wrong order, 1 - AUC.
# Where would you stop by either? And watch the first line that is printed: the share of the test
# events to which the network gives less than 1 %.

# %%
print("test events given less than 1 %, by epoch:")
print(*(f"{share:.1%}" for share in by_epoch["test events below 1 %"]))
figure, axes = plt.subplots(1, 2, figsize=(8, 3))
for axis, name in zip(axes, ("loss", "1 - AUC"), strict=True):
    for part, color in [("learn", plots.BLUE), ("test", plots.BLACK)]:
        axis.plot(by_epoch[f"{name}, {part}"], "o-", color=color, label=part)
    lowest, last = by_epoch[f"{name}, test"].min(), by_epoch[f"{name}, test"].iloc[-1]
    print(f"{name} on test: at best {lowest:.4f}, in the end {last / lowest - 1:.0%} above")
    axis.set(xlabel="epoch", ylim=(0, None))
axes[0].set_ylabel("cross-entropy")
axes[1].set_ylabel("1 - AUC")
axes[0].legend()
plots.show(
    figure,
    alt="Two panels by epoch. On learn, cross-entropy and 1 - AUC fall steadily. On test both are "
    "lowest after a few epochs; then the cross-entropy rises, and 1 - AUC rises a little.",
)

# %% [markdown]
# On `learn` both go on getting better. On `test` the loss turns early and rises again. The share
# of pairs in the wrong order rises too, but mostly less. Events that the network calls nearly
# impossible (below 1 %) become more frequent: it grows **too sure**, which cross-entropy punishes
# more than a lost order. So when you stop early, say by which score. (And stop by storms that you
# don't report on: by `tune`, not `test`.)

# %% [markdown]
# ## How sure is a score?
#
# The AUC is one number from a few storms. Other storms would give another. How different? The
# **bootstrap** (Efron 1979; you met it in lab 09) draws as many as there are, *with replacement*:
# what was drawn goes back and may come again. It computes the score of what was drawn, and all
# that again and again. 95 % of the results lie between their 2.5th and 97.5th percentile.
#
# *As many what?* Rows of one storm are alike, so they are no independent draws. Storms are.

# %% [markdown]
# ### Exercise 9: the interval
#
# Write `interval(score, groups, draws, rng)`.
#
# - `score` is a function: it gets an array of **row numbers** and returns a number.
# - `groups` (n,) says to which group (storm) each row belongs.
# - For each of the `draws`, use `rng` to draw as many groups as there are, with replacement. Take
#   all rows of the drawn groups, twice if a group was drawn twice, and ask `score` for these rows.
#
# Return (low, high), the 2.5th and 97.5th percentile of the results as `np.percentile` takes them.
#
# With `groups = [7, 7, 9]` the draw (9, 7) gives the rows 2, 0, 1, and the draw (9, 9) the rows 2,
# 2.
#
# <details><summary>Hint 1</summary>
#
# First a list of the row numbers of each group: `[np.flatnonzero(groups == g) for g in
# np.unique(groups)]`. Then `rng.integers(k, size=k)` draws k of k.
# </details>
# <details><summary>Hint 2</summary>
#
# `np.concatenate` joins the rows of the drawn groups; `np.percentile(results, [2.5, 97.5])`.
# </details>


# %% tags=["exercise:interval"]
def interval(score, groups, draws, rng):
    """Return the 95 % bootstrap interval (low, high) of a score, whole groups being drawn."""
    ### BEGIN SOLUTION
    groups = np.asarray(groups)
    rows = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    results = []
    for _ in range(draws):
        drawn = rng.integers(len(rows), size=len(rows))
        results.append(score(np.concatenate([rows[k] for k in drawn])))
    low, high = np.percentile(results, [2.5, 97.5])
    return float(low), float(high)
    ### END SOLUTION


# %% tags=["check:interval:2", "nbval-check-output"]
check.interval(interval)

# %% [markdown]
# The same in other words: to draw a storm twice is to give its rows the weight 2. So we draw
# weights: `rng.multinomial` tells how often each group comes when as many are drawn as there are.
# `drawn_aucs` gives the AUC of the network and of the physical model for one and the same draw.


# %%
def drawn_aucs(groups, rng):
    """Return the AUC of network and physics with the groups drawn with replacement."""
    found, place = np.unique(groups, return_inverse=True)
    times = rng.multinomial(len(found), np.full(len(found), 1 / len(found)))[place]
    return {
        name: metrics.roc_auc_score(truth, scores[name], sample_weight=times)
        for name in ("network", "physics")
    }


# %% [markdown]
# Once for single rows and once for storms, 400 draws each, with the intervals of both AUCs and of
# their difference. It takes about seven seconds. How much wider is the interval by storm?

# %%
rng = np.random.default_rng(12)
for name, groups in [("rows", np.arange(len(truth))), ("storms", which_storm)]:
    drawn = pd.DataFrame([drawn_aucs(groups, rng) for _ in training.track(range(400))])
    drawn["difference"] = drawn["network"] - drawn["physics"]
    limits = drawn.quantile([0.025, 0.975]).T.set_axis(["low", "high"], axis=1)
    limits["width"] = limits["high"] - limits["low"]
    print(f"{len(np.unique(groups))} {name} drawn")
    print(limits.round(3))

# %% [markdown]
# By rows, the interval of a score is far too narrow: it believes in thousands of witnesses where
# there are a few storms. Give the one by storms, and the number of storms with it. This holds for
# one trained network; another seed adds its own spread. With a dozen groups even this interval
# tends to be too narrow.
#
# To compare two forecasts, look at the **difference** on the same draws: a hard storm is hard for
# both. Is 0 inside? Then these storms can't say which is better. Compare the answer by rows with
# the one by storms.

# %% [markdown]
# ## Which inputs does it use?
#
# Shuffle one input over the rows, so that it no longer belongs to its row, and see how far the
# score falls: **permutation importance** (Breiman 2001). The network isn't trained anew; it has to
# do without what the input told.
#
# ### Exercise 10: importance
#
# Write `importance(score, x, repeats, rng)`. `score` gets a table like `x` (n, f) and returns a
# number, higher is better. For each column: shuffle it (*permute* it, `rng.permutation`), leave
# all others as they are, and take the score; do so `repeats` times, shuffled anew each time.
# Return an array (f,): the score of `x` minus the mean score with that column shuffled. Leave `x`
# itself as it is.
#
# If `score` looks at column 0 alone, the result is exactly 0 for all other columns. If it is the
# mean of column 0, the result is 0 there as well: a mean doesn't see the order.
#
# <details><summary>Hint</summary>
#
# In the loop: `shuffled = x.copy()`, then `shuffled[:, j] = rng.permutation(x[:, j])`.
# </details>


# %% tags=["exercise:importance"]
def importance(score, x, repeats, rng):
    """Return by how much the score falls when a column is shuffled, (f,), mean of the repeats."""
    ### BEGIN SOLUTION
    whole = score(x)
    falls = np.zeros(x.shape[1])
    for j in range(x.shape[1]):
        for _ in range(repeats):
            shuffled = x.copy()
            shuffled[:, j] = rng.permutation(x[:, j])
            falls[j] += (whole - score(shuffled)) / repeats
    return falls
    ### END SOLUTION


# %% tags=["check:importance", "nbval-check-output"]
check.importance(importance)

# %% [markdown]
# Now scikit-learn's `permutation_importance`. It asks for a *scorer*, a function of the model, the
# inputs and the truth:

# %%
from sklearn.inspection import permutation_importance


def auc_of(model, x, y):
    """Return the AUC of a network: in the form of a scorer of scikit-learn."""
    return metrics.roc_auc_score(y, logits(model, x))


# %% [markdown]
# Our network with all 20 inputs, on the test storms, five shuffles of each input. Which one do you
# expect first?

# %%
found = permutation_importance(model, x_test, truth, scoring=auc_of, n_repeats=5, random_state=12)
by_input = pd.Series(found["importances_mean"], names).sort_values()
figure, axis = plt.subplots(figsize=(6, 4.2))
axis.barh(by_input.index, by_input, color=plots.BLUE)
axis.set_xlabel("fall of the AUC when shuffled")
plots.show(
    figure,
    alt="Bars for twenty inputs. SYM-H now is by far the longest; all others are small, many nearly "
    "zero.",
)

# %% [markdown]
# SYM-H now towers above all: the nearer it is to -50 nT, the smaller the fall that is needed. But
# does the wind matter so little? Let us first study what becomes of an input that comes as two
# **copies**.

# %% [markdown]
# ### Exercise 11: what happens to copies?
#
# Eight inputs only: SYM-H, six numbers of the wind as measured, and the time of the day. One
# network gets them as they are. A second one gets `sym_h` **twice**, as two columns that are equal.
# Both train with dropout on the inputs: in each step some inputs are missing. What will the
# permutation importance say of the two copies in the second network, compared to `sym_h` in the
# first? Set `copies`, before you run the cells that train them (about five seconds), to
#
# - `"both useless"`: each copy has less than half of that importance ("useless" means just this),
# - `"one of them important"`: one keeps it, the other has little,
# - `"both important"`: each has more than half of it.
#
# <details><summary>Hint</summary>
#
# One column is shuffled, all others stay as they are. What does the network see then?
# </details>

# %% tags=["exercise:copies"]
copies = None
### BEGIN SOLUTION
copies = "both useless"
### END SOLUTION

# %%
few = ["sym_h", "bz_gsm", "by_gsm", "b_total", "speed", "log_density", "log_temperature"]
few.append("day_sine")
one = [names.index(name) for name in few]
two = [*one, names.index("sym_h")]
labels = [*few, "copy of sym_h"]
keras.utils.set_random_seed(12)
single = fitted(network(len(one), input_dropout=0.3), x[:, one], y)
keras.utils.set_random_seed(12)
double = fitted(network(len(two), input_dropout=0.3), x[:, two], y)

# %% [markdown]
# The importance of each input in both networks. The last line has `sym_h` of the first network,
# the two copies of the second, and what no single shuffle shows: both copies shuffled at once.

# %%
importances = {}
for net, columns in [(single, one), (double, two)]:
    inputs = x_test[:, columns]
    found = permutation_importance(net, inputs, truth, scoring=auc_of, n_repeats=5, random_state=12)
    title = f"{len(columns)} inputs, AUC {auc_of(net, inputs, truth):.3f}"
    importances[title] = pd.Series(found["importances_mean"], labels[: len(columns)])
importances = pd.DataFrame(importances).reindex(labels)
print(importances.round(3))

rng, shuffled = np.random.default_rng(12), x_test[:, two].copy()
for column in (0, 8):
    shuffled[:, column] = rng.permutation(shuffled[:, column])
falls = {
    "with one": importances.iloc[0, 0],
    "with copy": importances.iloc[0, 1],
    "copy": importances.iloc[8, 1],
    "both": auc_of(double, x_test[:, two], truth) - auc_of(double, shuffled, truth),
}
{name: round(float(fall), 3) for name, fall in falls.items()}

# %% tags=["check:copies"]
check.copies(copies, falls)

# %% [markdown]
# The same information, given twice, and most of its importance is gone. Shuffle both copies, and
# it is back. Importance by single shuffles answers *what if I lost this column alone?*, not *does
# the network use what is in it?*
#
# In the same way the 20 inputs hide the wind. They hold it many times: Bz and VBs (the speed times
# the southward part of Bz) as measured and as they arrive, and two forecasts of the physics made
# from them. Shuffle one, and the others still tell. Inputs of the real world are rarely exact
# copies, but often nearly: the two forecasts of the physics, the two roots of the pressure. Bz and
# VBs share less, since VBs is 0 where Bz points north.

# %%
correlations = learn[names].corr()
for first, second in [
    ("physics_1h", "physics_2h"),
    ("root_pressure", "root_pressure_arriving"),
    ("bz_gsm", "vbs"),
]:
    print(f"{first:13} and {second:22} {correlations.loc[first, second]:5.2f}")

# %% [markdown]
# ### One after the other
#
# **Multi-pass** importance (Lakshmanan et al. 2015, McGovern et al. 2019) goes on where the single
# pass stops. Shuffle each column, and take the one whose shuffle hurts most. It **stays
# shuffled**. Then the same with the columns left, and so on. Once the first copy is gone, the
# second is no longer protected.
#
# ### Exercise 12: multi-pass
#
# Write `multi_pass(score, x, rng)`. Return the list of all column numbers, the most important
# first. In each pass shuffle each of the columns left, one at a time, beside those already chosen,
# which stay shuffled. The one with the lowest score is chosen next and keeps *that* shuffled
# column. Leave `x` as it is.
#
# Say `score` counts 2 if column 2 is in order and 3 if column 0 **or** column 1 is. Singly, only
# column 2 matters. Multi-pass chooses 2, then (no score differs) any, say 0, then 1: now that 0 is
# shuffled, to shuffle 1 costs 3.
#
# <details><summary>Hint 1</summary>
#
# `current = x.copy()` holds what is shuffled already. A trial is a copy of it, with one more column
# shuffled.
# </details>
# <details><summary>Hint 2</summary>
#
# Keep the lowest score so far with its column number and its trial; after the pass, `current =
# trial` of the lowest.
# </details>


# %% tags=["exercise:multi_pass"]
def multi_pass(score, x, rng):
    """Return all column numbers, most important first; what is chosen stays shuffled."""
    ### BEGIN SOLUTION
    current, left, order = np.array(x), list(range(x.shape[1])), []
    while left:
        lowest = np.inf
        for j in left:
            trial = current.copy()
            trial[:, j] = rng.permutation(trial[:, j])
            value = score(trial)
            if value < lowest or lowest == np.inf:
                lowest, chosen, kept = value, j, trial
        order.append(chosen)
        left.remove(chosen)
        current = kept
    return order
    ### END SOLUTION


# %% tags=["check:multi_pass:2", "nbval-check-output"]
check.multi_pass(multi_pass)

# %% [markdown]
# Now your `multi_pass`, for the network with the copy. The figure shows the AUC as columns are
# shuffled in that order, one more at each step. Where are the copies, and where is the steepest
# fall?

# %%
inputs = x_test[:, two]
order = multi_pass(lambda table: auc_of(double, table, truth), inputs, np.random.default_rng(12))
rng, shuffled, path = np.random.default_rng(1), inputs.copy(), [auc_of(double, inputs, truth)]
for column in order:
    shuffled[:, column] = rng.permutation(shuffled[:, column])
    path.append(auc_of(double, shuffled, truth))
figure, axis = plt.subplots(figsize=(6, 3.4))
axis.plot(path, range(len(path)), "o-", color=plots.BLACK)
axis.axvline(0.5, linestyle=":", color="gray")
axis.set_yticks(range(len(path)), ["none", *(f"+ {labels[k]}" for k in order)])
axis.invert_yaxis()
axis.set(xlabel="AUC", ylabel="shuffled so far")
plots.show(
    figure,
    alt="The AUC falls from near 0.95 as inputs are shuffled one after the other. The two copies of "
    "SYM-H come early; the steepest fall is at the second of them. Then it levels off near one "
    "half.",
)

# %% [markdown]
# The steepest fall comes where the second copy goes: only now it shows how much the network has
# from them, and both rank before the inputs that hardly matter. The order of the last columns
# means nothing: near one half there is no score left to lose. Multi-pass has a price: for f inputs
# f (f + 1) / 2 scores instead of f. And it is greedy, choosing the best of each pass alone: it
# finds a pair only if one of the two is chosen in time.

# %% [markdown]
# ## A loss for the score you need
#
# Suppose the users say: *at most 5 % of the quiet times may have a false alarm; warn of as many
# events as you can.* That is the recall at a false alarm rate of 5 %, `recall_at` above.
# Cross-entropy knows nothing of it. Can one train a network for it?
#
# Put the threshold t where 5 % of the **non-events** of a batch lie above it: at their 95 %
# quantile. Each event should be above t. A hard count has no slope to follow, so take the smooth
# softplus(t - z) of an event's logit z (softplus is from lab 11): large where z is far below the
# threshold, near 0 far above.
#
# $$\text{loss} = \text{mean over the events of } \log(1 + e^{t - z}).$$

# %% [markdown]
# ### Exercise 13: the loss
#
# Write `recall_loss(y_true, y_pred)` for Keras: `y_true` of 0 and 1 may come as (n, 1) or (n,),
# `y_pred` (n, 1) are logits; return the loss above, one number, with `RATE` = 0.05 as above. Use
# `keras.ops` only, and `ops.softplus`: in `log(1 + exp(...))` the exponential of a large number
# overflows. If the batch has no events, or only events, return 0, not NaN. (No `if` for that: in
# training there is no number yet that it could ask about.)
#
# With 20 non-events of logits 1, 2 ... 20 the threshold is 19.05 (or 19, if you take the one that
# has a 5 % share, one row, above it). One event at logit 19 then costs about 0.7.
#
# <details><summary>Hint 1</summary>
#
# Reshape both to (-1,), since `ops.sort` on (n, 1) sorts nothing. To put the events at the far
# lower end: `others = ops.where(y == 0, z, -1e9)`. Sort, and the non-events are the last ones of
# the row. The threshold is the one with `RATE * number of non-events` behind it.
# </details>
# <details><summary>Hint 2</summary>
#
# `k = ops.cast(ops.floor(RATE * ops.sum(1 - y)), "int32")` counts them, and `ops.take(falling, k)`
# is the threshold if `falling = -ops.sort(-others)`. The loss is `ops.sum(y * ops.softplus(t - z))
# / ops.maximum(ops.sum(y), 1)`. Without non-events t is -1e9, which makes the loss 0.
# </details>

# %% tags=["exercise:recall_loss"]
from keras import ops


def recall_loss(y_true, y_pred):
    """Return the mean over events of softplus(threshold - logit), threshold at rate RATE."""
    ### BEGIN SOLUTION
    y = ops.reshape(ops.cast(y_true, "float32"), (-1,))
    z = ops.reshape(ops.cast(y_pred, "float32"), (-1,))
    quiet = ops.sum(1 - y)
    falling = -ops.sort(-ops.where(y < 0.5, z, -1e9))
    allowed = ops.cast(ops.floor(RATE * quiet), "int32")
    threshold = ops.where(quiet > 0, ops.take(falling, allowed), -1e9)
    below = ops.softplus(threshold - z)
    return ops.sum(y * below) / ops.maximum(ops.sum(y), 1)
    ### END SOLUTION


# %% tags=["check:recall_loss:2", "nbval-check-output"]
check.recall_loss(recall_loss)

# %% [markdown]
# First a case made for it. In a plane, 3 % of the points are events. Most of the other points lie
# apart from them; but a few, 4 % of all, lie far out on the *same* side. No straight line has the
# events alone on one side. Cross-entropy punishes those few hard, since the line is sure of them
# and wrong. The other loss may give up 5 % of the non-events.


# %%
def plane(n, rng):
    """Return points (n, 2) and truth (n,): 3 % events, 4 % non-events far out beyond them."""
    kind = rng.choice(3, size=n, p=[0.93, 0.03, 0.04])
    centers = np.array([[0, 0], [4, 1], [9, 0]])
    return (centers[kind] + rng.normal(size=(n, 2))).astype(np.float32), (kind == 1).astype(int)


# %% [markdown]
# A network without a hidden layer is such a line. One is trained with each loss, and new points
# judge them: about five seconds. Which has the higher recall?

# %%
rng = np.random.default_rng(12)
(points, events), (new_points, new_events) = plane(20_000, rng), plane(20_000, rng)
lines = {}
for name, loss in [("cross-entropy", None), ("recall loss", recall_loss)]:
    keras.utils.set_random_seed(12)
    lines[name] = fitted(network(2, hidden=()), points, events, loss, 20, 2000, rate=0.1)
    z = logits(lines[name], new_points)
    auc = metrics.roc_auc_score(new_events, z)
    print(f"{name:13} recall at 5 %: {recall_at(new_events, z):.2f}, AUC {auc:.2f}")

# %% [markdown]
# Each panel shows non-events in gray (only 3000 of them are drawn), the events in blue, and in
# black the line of the model at a false alarm rate of 5 %: it warns on the yellow side. How does
# each line lie relative to the events?

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 3), sharey=True)
across, up = np.meshgrid(np.linspace(-4, 12, 80), np.linspace(-4, 5, 60))
for axis, (name, line) in zip(axes, lines.items(), strict=True):
    others = new_points[new_events == 0]
    threshold = np.quantile(logits(line, others), 1 - RATE)
    heights = logits(line, np.stack([across.ravel(), up.ravel()], 1).astype(np.float32))
    heights = heights.reshape(across.shape)
    axis.contourf(across, up, heights, [threshold, np.inf], colors=[plots.YELLOW], alpha=0.4)
    axis.plot(*others[:3000].T, ".", color="0.6", markersize=2)
    axis.plot(*new_points[new_events == 1].T, "^", color=plots.BLUE, markersize=2.5)
    axis.contour(across, up, heights, [threshold], colors=[plots.BLACK], linestyles="solid")
    axis.set(title=name, xlabel="$x_1$", xlim=(-4, 12), ylim=(-4, 5))
axes[0].set_ylabel("$x_2$")
plots.show(
    figure,
    alt="Two panels with a gray cloud, a small blue cloud of events to its right and a small gray "
    "one far right. The line of cross-entropy leans over, and cuts through the events. That of "
    "the recall loss stands upright between the gray cloud and the events. Both warn of the far "
    "cloud.",
)

# %% [markdown]
# Both give up the far cloud. But the far cloud has turned the line of cross-entropy: its points
# pull the weight of $x_1$ down, so the line leans over and cuts through the events. The recall
# loss ignores how far out they lie, and its line stands upright between the crowds.

# %% [markdown]
# Now the storms: a network with the layers of the first one, with either loss, three times each
# from other initial weights, in large batches (a quantile of a small one is mostly luck). Both
# train without dropout, whose noise also moves the threshold of a batch (try it with dropout).
# About twelve seconds.

# %%
results = []
for seed in training.track(range(3)):
    for name, loss in [("cross-entropy", None), ("recall loss", recall_loss)]:
        keras.utils.set_random_seed(seed)
        net = fitted(network(20, dropout=0.0), x, y, loss, epochs=10, batch=2048, rate=3e-2)
        z = logits(net, x_test)
        results.append(
            {
                "loss": name,
                "recall at 5 %": recall_at(truth, z),
                "average precision": metrics.average_precision_score(truth, z),
            }
        )
summary = pd.DataFrame(results).groupby("loss", sort=False)
summary.agg(["min", "mean", "max"]).round(3)

# %% [markdown]
# In recall, the score that it was made for, the special loss gains nothing beyond the spread of
# three trainings. Nor does it in average precision, where it may even lose (that depends on how you
# take the quantile): who trains for one point of the curve may pay at the others.
#
# Why no gain? Cross-entropy learns the probability of an event, and whoever knows that well has
# the best order of rows for *every* false alarm rate. The recall loss learns from a few events and
# from a single non-event, the one at the threshold; all others say nothing to it. It can win where
# a model is too simple to get all probabilities right, like the line in the plane, and must choose
# which mistakes to make. And its logits mean nothing as probabilities. So: train with
# cross-entropy, choose the threshold afterwards, and compare any special loss with that.

# %%
check.score_card()

# %% [markdown]
# ## Recap
#
# - Accuracy of rare events is a trap. Look for the two kinds of mistakes; check which way a matrix
#   is turned, and which of the two FARs is meant.
# - F1 is a harmonic mean: high only if precision and recall are. Micro F1 is accuracy; macro counts
#   classes alike.
# - ROC and AUC judge the order and don't see how rare events are. Show precision and recall beside
#   them.
# - The threshold is a decision by cost. The formula holds for calibrated probabilities only;
#   weighting the classes spoils the probabilities.
# - R² compares with the mean, skill with what somebody would really use.
# - Give an interval, and draw what is independent: storms, not rows.
# - Permutation importance of copies is low, since each protects the other; multi-pass finds them.
# - Cross-entropy first. A special loss has to prove itself, on storms it hasn't seen.
#
# ### Go further
#
# - Repair the probabilities of the weighted network: divide the odds p / (1 - p) by the weight.
#   Draw the reliability diagram again.
# - Ask for -100 nT instead of -50. What happens to AUC, average precision and the intervals?
# - A warning half an hour before the event and another a quarter of an hour later are two rows
#   here. Count *storms* that were warned of instead.
# - Shuffle whole groups of inputs at once: everything that knows Bz. How important is the wind
#   then?
# - Is logistic regression as good as the network? Compare with an interval of the difference.
# - Train the recall loss for a rate of 1 %, or starting from the weights of cross-entropy.
#
# ### References
#
# - G. Brier (1950): *Verification of forecasts expressed in terms of probability*. Monthly Weather
#   Review 78, 1-3.
# - B. Efron (1979): *Bootstrap methods: another look at the jackknife*. The Annals of Statistics 7,
#   1-26.
# - J. Hanley and B. McNeil (1982): *The meaning and use of the area under a receiver operating
#   characteristic (ROC) curve*. Radiology 143, 29-36.
# - A. Murphy (1988): *Skill scores based on the mean square error and their relationships to the
#   correlation coefficient*. Monthly Weather Review 116, 2417-2424.
# - L. Breiman (2001): *Random forests*. Machine Learning 45, 5-32.
# - L. Barnes et al. (2009): *Corrigendum: False alarm rate or false alarm ratio?* Weather and
#   Forecasting 24, 1452-1454.
# - V. Lakshmanan et al. (2015): *Which polarimetric variables are important for weather/no-weather
#   discrimination?* Journal of Atmospheric and Oceanic Technology 32, 1209-1223.
# - T. Saito and M. Rehmsmeier (2015): *The precision-recall plot is more informative than the ROC
#   plot when evaluating binary classifiers on imbalanced datasets*. PLoS ONE 10, e0118432.
# - A. McGovern et al. (2019): *Making the black box more transparent: understanding the physical
#   implications of machine learning*. Bulletin of the American Meteorological Society 100,
#   2175-2199.
