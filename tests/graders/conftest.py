"""Lets these tests import `sample_configs`, which stands beside them: `tests` is no package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
