"""Settings of every kernel that this installation starts (read from etc/ipython)."""

c = get_config()  # noqa: F821

# TensorFlow's C++ side writes its start-up notes straight to the process's stderr, whatever the
# Python settings say. They belong in the server's log, not under a student's first cell.
c.IPKernelApp.capture_fd_output = False
