from .ligand import Ligand as Ligand
from .ligand import prepare as prepare
from .settings import Settings as Settings
from .vina import Docking as Docking
from .vina import dock as dock
