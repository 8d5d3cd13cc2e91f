"""Helpers that the labs share: data, checks, plots, training and the environment report."""

import logging

import wrapt

# TensorFlow warns when several models predict one after the other, as in any comparison of models.
# Nothing is wrong then, and its long line under a student's cell says the contrary.
logging.getLogger("tensorflow").addFilter(lambda record: "retracing" not in record.getMessage())


@wrapt.when_imported("tensorflow.python.data.ops.options")
def _leave_out_autotune(options):
    """Let TensorFlow read data without tuning how it does: up to twice as fast for small data.

    At the end of each epoch TensorFlow stops the thread that tunes. On few cores the thread often
    misses the signal and sleeps on, 10 ms, then 20, 40 and so on, while training waits: an epoch of
    2.6 s takes 5.1 s (TensorFlow 2.21; the flag in `CancellationManager::StartCancel` is set only
    after the callback that wakes the thread). Arrays in memory leave nothing to be tuned.
    """
    original = options.AutotuneOptions.__init__

    def with_autotune_off(self, *arguments, **settings):
        original(self, *arguments, **settings)
        self.enabled = False

    options.AutotuneOptions.__init__ = with_autotune_off
