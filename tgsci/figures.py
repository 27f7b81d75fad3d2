"""Figures for people: see `texts`."""

from .texts import column as column
from .texts import counts as counts
from .texts import figure as figure
from .texts import fixed as fixed
from .texts import metric as metric
from .texts import places as places
