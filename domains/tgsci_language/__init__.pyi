from .plugin import domain as domain
from .code.loss import CodeLoss as CodeLoss
from .code.problem import problem_of_task as problem_of_task
from .code.task import CodeTask as CodeTask
from .code.task import read_task as read_task
