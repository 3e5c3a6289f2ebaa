"""An eval and its output items as the API reference has them."""

from asking import EXACT


def item(results, text="4", **more):
    """An output item as the API reference has it."""
    return {
        "object": "eval.run.output_item",
        "id": "outputitem_1",
        "run_id": "evalrun_1",
        "eval_id": "eval_1",
        "status": "pass",
        "datasource_item": {"answer": "4"},
        "results": [{"type": "string_check", "sample": None, **one} for one in results]
        if results is not None
        else None,
        "sample": {"error": None, "output": [{"role": "assistant", "content": text}]},
        **more,
    }


ONE = {"object": "eval", "id": "eval_1", "name": "mine", "testing_criteria": [EXACT]}
HIT = {"name": "exact", "score": 1.0, "passed": True}
