"""Which mixes the swarm tries: `swarm` designs, `extend` adds, `pick` and `pick_next` choose from given ones."""

from pipeline.mixture.designs.assemble import swarm
from pipeline.mixture.designs.base import Mix
from pipeline.mixture.designs.extend import extend
from pipeline.mixture.designs.learned import pick_next
from pipeline.mixture.designs.methods import METHODS
from pipeline.mixture.designs.pick import pick

__all__ = ["METHODS", "Mix", "extend", "pick", "pick_next", "swarm"]
