"""Prompts: the error on a data set as the loss."""
