"""Rules over plain JSON, by name (`podfsm eval`). Importing this package registers every evaluator."""

import importlib
import pkgutil

from podfsm.evaluate.registry import evaluate, evaluator, names, same

for _module in pkgutil.iter_modules(__path__):
    if _module.name not in ("registry", "__main__"):
        importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["evaluate", "evaluator", "names", "same"]
