"""Checks that tell a student *correct*, *not attempted*, or what is wrong and where to look.

One module per lab (``from helpers.checks import cnn as check``), all built on :mod:`.core`.
"""
