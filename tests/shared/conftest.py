"""Nothing is collected here unless the recordings and measured cases lie beside the checkout."""

from tests.shared.beside import BESIDE

collect_ignore_glob = [] if BESIDE.is_dir() else ["test_*.py"]
