//! Starts the programs for the tests.
