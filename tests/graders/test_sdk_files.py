"""Files through the official SDKs: to the byte, page by page."""

import pytest
from sdk_asked import ASKED
from sdks import EACH, missing, walked


@pytest.fixture(scope="module", params=EACH)
def seen(request, served_url):
    """What one SDK was told."""
    return walked(request.param, "files", served_url)


def test_a_file_is_kept_to_the_byte_until_it_is_deleted(seen):
    """Sent as a form, given back as it was."""
    files = seen
    made, other = files["made"], files["other"]

    assert (made["object"], made["filename"], made["purpose"]) == ("file", "rows.jsonl", "evals")
    assert made["bytes"] == len(ASKED["jsonl"].encode())
    assert files["retrieved"] == made
    assert files["content"] == ASKED["jsonl"]
    assert files["deleted"] == [
        {"id": one["id"], "object": "file", "deleted": True} for one in (made, other)
    ]
    assert missing(files["gone"])


def test_files_are_listed_page_by_page_and_by_purpose(seen):
    """Every one once, with one on a page, the oldest first."""
    made, other = (seen[name]["id"] for name in ("made", "other"))
    listed = [file["id"] for file in seen["listed"]]
    of_purpose = [file["id"] for file in seen["of_purpose"]]

    assert len(listed) == len(set(listed))
    assert [one for one in listed if one in (made, other)] == [made, other]
    assert made in of_purpose
    assert other not in of_purpose
