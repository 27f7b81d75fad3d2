"""Tasks: an interface. The data sets themselves are not part of this package: register a loader of your own.

from tgsci.textgrad import tasks

tasks.register("BBH_object_counting", lambda evaluation_api: (train, val, test, eval_fn))
train, val, test, eval_fn = tasks.load_task("BBH_object_counting", evaluation_api=engine)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import UsageError
from .base import DataLoader, Dataset

__all__ = ["DataLoader", "Dataset", "load_instance_task", "load_task", "register"]

_loaders: dict[str, Callable[..., Any]] = {}


def register(task_name: str, loader: Callable[..., Any]) -> None:
    """Set what `load_task` and `load_instance_task` call for a name.

    Args:
        task_name: The name.
        loader: Called with the evaluation engine and further arguments. For `load_task` it returns (training set,
            validation set, test set, evaluation function); for `load_instance_task` (test set, evaluation function).
    """
    _loaders[task_name] = loader


def load_task(task_name: str, evaluation_api: Any = None, *args: Any, **kwargs: Any) -> Any:
    """Return the data sets and the evaluation function of a task that was registered.

    Raises:
        UsageError: None is registered under that name.
    """
    if task_name not in _loaders:
        known = ", ".join(_loaders) or "none"
        raise UsageError(
            f"no task {task_name!r} is registered (there are: {known}). Data sets are not part of this package: call "
            f"tgsci.textgrad.tasks.register({task_name!r}, loader) first, with a loader that reads your files"
        )
    return _loaders[task_name](evaluation_api, *args, **kwargs)


load_instance_task = load_task
