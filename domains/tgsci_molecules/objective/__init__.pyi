from .loss import DockingLoss as DockingLoss
from .loss import Objective as Objective
from .terms import Term as Term
from .transforms import Transform as Transform
