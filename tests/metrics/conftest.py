"""Lets the metric tests import `metric_texts`, which stands beside them.

`tests` must not be a package (it would shadow `metrics`), and the wheel of `rouge` installs a
package of that name.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
