"""The bytes that cross the borders: host ↔ zygote ↔ child.

Host to zygote, for one child:  CALLS(count, length) JSON     read by the child alone
Child to zygote, per call:      FRAME(magic, kind, cpu, peak, length) body
Zygote to host:                 MESSAGE(type, length) body

A FRAME's body is hostile. The zygote looks at its length and nothing else, and the host takes it
only if it has exactly this form.
"""

from __future__ import annotations

from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

CALLS: Final = Struct("<II")
FRAME: Final = Struct("<4sBdQI")
MESSAGE: Final = Struct("<cI")
MAGIC: Final = b"LGS1"

# Kinds of FRAME.
FLOAT, PLAIN, OTHER, RAISED, NO_MEMORY = range(1, 6)
LAST: Final = 0x80  # added to the kind where no call follows
NUMBER: Final = Struct("<d")

# Types of MESSAGE.
KEEPER = b"K"  # with a descriptor: the pidfd of what must die for all of it to die
LOCKED = b"L"  # everything is put on; what comes now is hostile
READY = b"R"  # body: the traceback of a source that does not compile, or nothing
REFUSED = b"E"  # body: why the isolation asked for could not be put on
CONNECTION = b"N"  # with a descriptor: where the next child asks for nested runs
ENDED = b"O"  # body: END, frame, stdout, stderr

# How it ended, what the zygote does next, whether the child says it was its last call, whether
# printed text was dropped; wait status, CPU seconds and peak bytes of a child without a frame;
# lengths of frame, stdout and stderr.
END: Final = Struct("<BB??idQIII")
WITH_FRAME, WITHOUT_FRAME, TOO_LARGE = range(3)
AGAIN, GONE = range(2)

MAX_FRAME: Final = 1 << 20
MAX_PRINTED: Final = 64 * 1024
MAX_NESTED: Final = 1 << 20
MAX_MESSAGE: Final = END.size + FRAME.size + MAX_FRAME + 2 * MAX_PRINTED
