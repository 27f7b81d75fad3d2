"""Tests of the language domain."""
