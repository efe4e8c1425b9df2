"""Rewriting with a language model: tasks (YAML) over backends (what writes), with checks and a cache of replies."""
