"""A model as a module, its system prompt as the parameter."""

from .. import functions as core
from .config import takes_engine_names


@takes_engine_names
class BlackboxLLM(core.BlackboxLLM):
    """See `tgsci.BlackboxLLM`."""
