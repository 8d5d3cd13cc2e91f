"""Helpers that the labs share: data, checks, plots, training and the environment report."""

import logging

# TensorFlow warns when several models predict one after the other, as in any comparison of models.
# Nothing is wrong then, and its long line under a student's cell says the contrary.
logging.getLogger("tensorflow").addFilter(lambda record: "retracing" not in record.getMessage())
