"""Tests of the behaviour of the fake, through its public interface."""
