"""Helpers that the labs share: data, checks, plots, training and the environment report."""
