"""Rewards for trainers and evals of others; a module for each, and none imports its trainer."""
