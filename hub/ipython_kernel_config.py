"""Settings of every kernel that this installation starts (read from etc/ipython)."""

import os

c = get_config()  # noqa: F821

# TensorFlow's C++ side writes its start-up notes straight to the process's stderr, whatever the
# Python settings say. They belong in the server's log, not under a student's first cell.
c.IPKernelApp.capture_fd_output = False

# By itself TensorFlow uses oneDNN only where the processor has AVX-512. With AVX2 alone it would
# convolve image by image: two to four times slower, in more memory.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
