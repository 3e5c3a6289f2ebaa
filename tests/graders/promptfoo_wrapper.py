"""Starts a function of a file as promptfoo's python/wrapper.py (0.123.1) does, step by step."""

import asyncio
import importlib.util
import inspect
import json
import sys
from pathlib import Path

script_path, method_name, json_path, output_path = sys.argv[1:]
script = Path(script_path).resolve()
sys.path.insert(0, str(script.parent))
spec = importlib.util.spec_from_file_location(script.stem, script)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
method = getattr(module, method_name)
arguments = json.loads(Path(json_path).read_text("utf-8"))
result = method(*arguments)
if inspect.iscoroutinefunction(method):
    result = asyncio.run(result)
with Path(output_path).open("w", encoding="utf-8") as file:
    json.dump({"type": "final_result", "data": result}, file, ensure_ascii=False)
