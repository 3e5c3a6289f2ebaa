"""Makes the table of attacks importable."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
