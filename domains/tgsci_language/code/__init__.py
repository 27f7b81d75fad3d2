"""Code: a test runner as the loss."""
