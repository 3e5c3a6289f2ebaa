"""Attacks on the way back: values that are none, forged frames, and requests for nested runs.

All of them are their own row's affair, or must be: how it ends is their control.
"""

from hostile import Attack, body

VALUES = {
    "not a number": Attack("def attack():\n    return float('nan')\n", ends="ok"),
    "infinity": Attack("def attack():\n    return float('-inf')\n", ends="ok"),
    "nothing": Attack("def attack():\n    return None\n", ends="ok"),
    "a text": Attack("def attack():\n    return '1.0'\n", ends="ok"),
    "a truth": Attack("def attack():\n    return True\n", ends="ok"),
    "a huge number": Attack("def attack():\n    return 10 ** 400\n", ends="ok"),
    "a number of 5,000 digits": Attack("def attack():\n    return 10 ** 5000\n", ends="bad_value"),
    "a complex number": Attack("def attack():\n    return 1j\n", ends="bad_value"),
    "a decimal": Attack(
        "import decimal\ndef attack():\n    return decimal.Decimal('0.5')\n", ends="bad_value"
    ),
    "a scalar as of numpy": Attack(
        "class float32:\n    dtype = 1\n    def item(self): return 0.5\n"
        "float32.__module__ = 'numpy'\ndef attack():\n    return float32()\n",
        ends="ok",
    ),
    "a float that is a text": Attack(
        "class X(float):\n    def __float__(self): return '1.0'\ndef attack():\n    return X(0.5)\n",
        ends="ok",
    ),
    "an object whose float is a text": Attack(
        "class X:\n    def __float__(self): return '1.0'\ndef attack():\n    return X()\n",
        ends="bad_value",
    ),
    "a hostile object": Attack(
        "class X:\n    def __repr__(self): raise SystemExit\n"
        "    __str__ = __float__ = __eq__ = __hash__ = __bool__ = __repr__\n"
        "def attack():\n    return X()\n",
        ends="bad_value",
    ),
    "a hostile list": Attack(
        "class X(list):\n    def __iter__(self): raise SystemExit\n    __len__ = __repr__ = __iter__\n"
        "def attack():\n    return X([1])\n",
        ends="ok bad_value raised",
    ),
    "a hostile class": Attack(
        "class M(type):\n    def __getattribute__(c, n): raise SystemExit\n"
        "class X(metaclass=M): pass\ndef attack():\n    return X()\n",
        ends="raised",
    ),
    "a hostile error": Attack(
        "class X(Exception):\n    def __str__(self): raise SystemExit\ndef attack():\n    raise X\n",
        ends="raised",
    ),
    "a coroutine": Attack("async def attack():\n    return 1.0\n", ends="bad_value"),
    "a value that never ends": Attack(
        "def attack():\n    a = []; a.append(a); return a\n", ends="bad_value"
    ),
    "a value of 100 MB": Attack(
        "def attack():\n    return 'x' * (10 << 20)\n", ends="output_too_large out_of_memory"
    ),
}

# A frame of a row that says it is the last: the number 9.0.
FRAME = r"b'LGS1\x81' + bytes(16) + b'\x08\0\0\0' + b'\0\0\0\0\0\0\x22\x40'"
CHANNEL = {
    "a frame on what is printed": Attack(
        f"def attack():\n    for d in (1, 2): os.write(d, {FRAME})\n    return 'did'\n", ends="ok"
    ),
    "a frame on every descriptor": body(
        "for d in range(1, 200):",
        "    try: os.write(d, b'LGS1\\x01' + bytes(16) + b'\\x08\\0\\0\\0' + bytes(9))",
        "    except OSError: pass",
        ends="no_result",
    ),
    # The score of its own row is its own to choose; a second answer is none.
    "a frame of one's own": body(f"os.write(4, {FRAME}); import signal; signal.pause()", ends="ok"),
    "two frames": body(f"os.write(4, ({FRAME}) * 2); os._exit(0)", ends="no_result"),
    "two frames, one after the other": body(
        f"os.write(4, {FRAME})",
        "while True: os.write(4, {FRAME})".replace("{FRAME}", FRAME),
        ends="ok no_result",
    ),
    "a frame that promises more": body(
        f"os.write(4, ({FRAME}).replace(b'\\x81', b'\\x01')); os._exit(0)", ends="ok"
    ),
    "no number of seconds": body(
        f"f = {FRAME}; os.write(4, f[:5] + b'\\0\\0\\0\\0\\0\\0\\xf8\\x7f' + f[13:]); os._exit(0)",
        ends="no_result",
    ),
    "an unknown kind": body(
        f"os.write(4, ({FRAME}).replace(b'\\x81', b'\\xff')); os._exit(0)", ends="no_result"
    ),
    "JSON that is deep": body(
        "import struct; b = b'[' * 500000",
        "os.write(4, struct.pack('<4sBdQI', b'LGS1', 0x82, 0, 0, len(b)))",
        "while b: b = b[os.write(4, b):]",
        "os._exit(0)",
        ends="no_result",
    ),
    "JSON with a million digits": body(
        "import struct; b = b'1' * 1000000",
        "os.write(4, struct.pack('<4sBdQI', b'LGS1', 0x82, 0, 0, len(b)))",
        "while b: b = b[os.write(4, b):]",
        "os._exit(0)",
        ends="no_result",
    ),
    "garbage for a frame": body(
        "os.write(4, b'garbage' * 100); import time; time.sleep(99)", ends="timed_out"
    ),
    "a giant frame": body("while True: os.write(4, b'x' * 65536)", ends="output_too_large"),
    "closed descriptors": body("os.closerange(0, 300)", ends="no_result raised"),
    "the way back closed, and a loop": body(
        "os.close(4)", "while True: pass", ends="no_result signaled"
    ),
    "a small pipe": Attack(
        "import fcntl\ndef attack():\n    fcntl.fcntl(4, 1031, 4096); return 'did' + ' ' * 500000\n",
        ends="ok",
    ),
    "a patched json": Attack(
        "import json\ndef attack():\n    json.dumps = lambda *a: 1 / 0\n    return [1]\n",
        ends="raised no_result",
    ),
    "a patched struct": Attack(
        "import struct\ndef attack():\n    struct.Struct = struct.pack = None; return 'did'\n",
        ends="ok",
    ),
    "a patched os.write": body("os.write = lambda *a: 0; os._exit(5)", ends="no_result"),
    "patched builtins": Attack(
        "import builtins\ndef attack():\n    builtins.type = builtins.isinstance = builtins.len = lambda *a: 7\n"
        "    return 'did'\n",
        ends="ok raised bad_value no_result",
    ),
    "a patched sandbox": Attack(
        "def attack():\n    from sandbox import wire\n    from sandbox.inside import calling, child\n"
        "    wire.MAGIC = calling.call = child._answer = None; return 'did'\n",
        ends="no_result",
    ),
}

# Between a row and whoever runs code for it. `run_code` in the source is what opens that way.
_NESTED = "import sandbox, struct\nrun_code = sandbox.run_code\ndef ask(length, data):\n    os.write(6, struct.pack('<I', length) + data)\n"


def nested(*lines, ends):
    """An attack on the way to nested runs."""
    return body(*lines, ends=ends)._replace(source=_NESTED + body(*lines).source, ends=ends)


NESTED = {
    "a request of no length": nested(
        "ask(0, b''); assert len(os.read(6, 999)) > 4; return 'did'", ends="ok"
    ),
    "a request of 4 GB": nested(
        "ask(0xffffffff, b''); assert os.read(6, 9) == b''; return 'did'", ends="ok"
    ),
    "half a request": nested("os.write(6, b'\\1'); return 'did'", ends="ok"),
    "half a request, and a wait": nested(
        "ask(100, b'x'); import time; time.sleep(99)", ends="timed_out"
    ),
    "garbage": nested(
        "ask(5, b'[1,2]'); assert b'not a request' in os.read(6, 999); return 'did'", ends="ok"
    ),
    "other types": nested(
        "for r in (b'{\"a\":1,\"b\":1,\"c\":1,\"d\":1}', b'[1,1,1e999,1]', b'[1,1,1,1e999]', b'[[],{},NaN,0]', b'7', b'[\"1\",\"\",1,-1]'):",
        "    ask(len(r), r); assert os.read(6, 9999)",
        "return 'did'",
        ends="ok",
    ),
    "requests whose answers are never read": nested(
        'r = b\'["print(9)","",5,90000000]\'', "while True: ask(len(r), r)", ends="timed_out"
    ),
    "requests without sense, without end": nested("while True: ask(1, b'x')", ends="timed_out"),
    "code that forges its answer": nested(
        "ran = run_code('''import os, struct\nb = b'[1]'\n"
        "os.write(4, struct.pack('<4sBdQI', b'LGS1', 0x82, 0, 0, 3) + b * 2); os._exit(0)''')",
        "assert ran['status'] == 'no_result' and ran['value'] is None, ran",
        "return 'did'",
        ends="ok",
    ),
    "code that looks for the way back": nested(
        "ran = run_code('''import os\nfor d in range(6, 250):\n    try: os.fstat(d)\n"
        "    except OSError: continue\n    print(d)''')",
        "assert (ran['status'], ran['stdout']) == ('ok', ''), ran",
        "return 'did'",
        ends="ok",
    ),
    "code that answers with a megabyte": nested(
        "ran = run_code('\"x\" * 1000000'); assert len(ran['value']) == 1000000; return 'did'",
        ends="ok",
    ),
    "memory below nothing": nested(
        "assert {run_code('1', memory=m)['status'] for m in (-1, 0, -5, 2**70)} <= {'raised', 'out_of_memory', 'signaled', 'no_result', 'ok'}; return 'did'",
        ends="ok",
    ),
    "a time that is no number": nested(
        "assert run_code('1', timeout=float('nan'))['status'] in ('ok', 'timed_out'); return 'did'",
        ends="ok",
    ),
}
