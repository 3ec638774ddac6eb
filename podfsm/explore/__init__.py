"""Every behaviour of a Pod within bounds: what its environment may do, tried one choice after another.

A behaviour departs from a good environment (processes run, checks succeed, images are there) in some places, its
deviations. `explore` runs every set of them up to a number, the smaller sets first, so the first way to anything is
the shortest.
"""

from podfsm.explore.deviations import KINDS, Bounds, Deviation
from podfsm.explore.outcome import Ending, Exploration
from podfsm.explore.properties import Property, property_of
from podfsm.explore.search import explore

__all__ = ["KINDS", "Bounds", "Deviation", "Ending", "Exploration", "Property", "explore", "property_of"]
