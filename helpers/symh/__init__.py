"""What forecasting SYM-H takes: the physics, inputs without a look ahead, a network, the scores."""
