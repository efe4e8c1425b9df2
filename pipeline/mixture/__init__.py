"""From a table of tried mixes to a proposed one, with its uncertainty: pure functions over small dataclasses.

The order of use is designs.swarm -> (train, score) -> table.join -> objective.build -> selection.choose ->
proposer.propose -> (train again) -> judge.judge. Nothing in here knows Ray, the store or YAML.
"""
