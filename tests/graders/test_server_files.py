"""Files of a server: what comes in as a form comes out again, and is taken for nothing more."""

import socket
import tracemalloc
from itertools import chain
from typing import get_args

import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types import FileObject, FilePurpose
from serving import serving

from graders.server.files import PURPOSES, file_of, reading
from graders.server.transport.answers import ApiError

BOUNDARY = "b0undary"
KIND = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
ROW = b'{"item": {"a": 1}}\n'


@pytest.fixture(scope="module")
def server():
    with serving(upload_bytes=100_000) as served:
        yield served


@pytest.fixture(autouse=True)
def nothing_is_left(request):
    """Whatever a test does, the room that it took is given back with its files."""
    yield
    if "server" in request.fixturenames:
        served = request.getfixturevalue("server")
        for file in served.openai.files.list():
            served.openai.files.delete(file.id)
        assert used(served) == 0


def used(served):
    """The bytes that the server counts, which are those that are there."""
    room = served.shared.room
    assert room.used == sum(path.stat().st_size for path in room.path("x").parent.iterdir())
    return room.used


def part(name, value, filename=None, headers=""):
    named = "" if filename is None else f'; filename="{filename}"'
    head = f'Content-Disposition: form-data; name="{name}"{named}\r\n{headers}'
    return f"--{BOUNDARY}\r\n{head}\r\n".encode() + value + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
FILE, PURPOSE = part("file", ROW, "rows.jsonl"), part("purpose", b"evals")


def test_a_file_comes_out_as_it_went_in(server):
    data = bytes(range(256)) * 300
    file = server.openai.files.create(file=("rows.jsonl", data), purpose="evals")

    FileObject.model_validate(file.to_dict() | {"purpose": "batch"})  # it does not know evals
    assert file.to_dict() == {
        "id": file.id,
        "object": "file",
        "bytes": len(data),
        "created_at": file.created_at,
        "filename": "rows.jsonl",
        "purpose": "evals",
        "status": "processed",
        "expires_at": None,
        "status_details": None,
    }
    assert server.openai.files.retrieve(file.id) == file
    assert server.openai.files.content(file.id).read() == data
    assert used(server) == len(data)
    deleted = server.openai.files.delete(file.id)
    assert deleted.to_dict() == {"id": file.id, "object": "file", "deleted": True}
    with pytest.raises(openai.NotFoundError, match=f"there is no file '{file.id}'"):
        server.openai.files.retrieve(file.id)


def test_no_browser_takes_a_download_for_a_page(server):
    file = server.openai.files.create(file=("x.html", b"<script>"), purpose="evals")
    headers = server.client.get(f"/v1/files/{file.id}/content").headers

    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"] == "attachment"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-length"] == "8"


def test_purposes_are_those_of_the_sdk():
    assert set(PURPOSES) == set(get_args(FilePurpose))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("rows.jsonl", "rows.jsonl"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        (r"C:\temp\rows.jsonl", "rows.jsonl"),
        ("..", "file"),
        ("a/", "file"),
        ("", "file"),
        ("red\x1b[31m", r"red\x1b[31m"),
        ("\u202egnp.jsonl", r"\u202egnp.jsonl"),
        ("名前.jsonl", "名前.jsonl"),
        ("x" * 300, "x" * 255),
    ],
)
def test_a_name_is_shown_and_is_no_path(server, given, shown):
    body = part("file", ROW, given) + PURPOSE + END
    response = server.client.post("/v1/files", content=body, headers=KIND)

    assert response.status_code == 200, response.text
    assert response.json()["filename"] == shown
    names = {path.name for path in server.shared.room.path("x").parent.iterdir()}
    assert names == {response.json()["id"]}


def test_fields_may_stand_before_and_behind_the_file(server):
    other = part("expires_after[seconds]", b"3600")
    for body in (PURPOSE + FILE + other, FILE + other + PURPOSE, other + PURPOSE + FILE):
        response = server.client.post("/v1/files", content=body + END, headers=KIND)
        assert response.json()["bytes"] == len(ROW)


MANY_HEADERS = "".join(f"X-{i}: {'y' * 3_000}\r\n" for i in range(3))
WRONG_FORMS = {
    "no file": (PURPOSE + END, 400, "file", "the form has no file"),
    "no purpose": (FILE + END, 400, "purpose", "the form has no purpose"),
    "purpose": (
        FILE + part("purpose", b"eval") + END,
        400,
        "purpose",
        "purpose is 'eval'. Did you mean 'evals'?",
    ),
    "no file name": (
        part("file", ROW) + PURPOSE + END,
        400,
        "file",
        "file is a field, and must be a file with a filename",
    ),
    "two files": (FILE + FILE + PURPOSE + END, 400, "file", "the form has 'file' twice"),
    "two files, the first without a name": (
        part("file", ROW, "") + FILE + PURPOSE + END,
        400,
        "file",
        "the form has 'file' twice",
    ),
    "two purposes": (PURPOSE * 2 + FILE + END, 400, "purpose", "the form has 'purpose' twice"),
    "a long field": (
        part("other", b"x" * 1_025) + FILE + END,
        400,
        "other",
        "'other' has more than 1,024 bytes",
    ),
    "another file": (
        FILE + part("other", ROW * 100, "x") + END,
        400,
        "other",
        "'other' has more than 1,024 bytes",
    ),
    "many parts": (
        b"".join(part(f"f{i}", b"") for i in range(17)) + END,
        400,
        None,
        "the form has more than 16 parts",
    ),
    "many headers": (
        part("file", ROW, "x", MANY_HEADERS) + END,
        400,
        None,
        "a part of the form has more than 8,192 bytes of headers",
    ),
    "no name": (
        f"--{BOUNDARY}\r\nContent-Type: text/plain\r\n\r\nx\r\n".encode() + END,
        400,
        None,
        "a part of the form has no name",
    ),
    "no form": (b"hello", 400, None, "the form cannot be read: Expected boundary character 45,"),
    "no end": (FILE + PURPOSE, 400, None, "the form has no end: its last boundary is missing"),
    "empty": (b"", 400, None, "the form has no end: its last boundary is missing"),
    "a long file": (
        part("file", b"x" * 100_001, "x") + END,
        413,
        "file",
        "the file has more than the 100,000 bytes it may have",
    ),
    "a long body": (
        b"x" * 165_537,
        413,
        None,
        "the body has more than the 165,536 bytes that it may have",
    ),
}


@pytest.mark.parametrize("what", WRONG_FORMS)
def test_a_wrong_form_is_refused_and_nothing_of_it_is_kept(server, what):
    body, status, param, message = WRONG_FORMS[what]
    error = server.error(server.client.post("/v1/files", content=body, headers=KIND), status)

    assert error["message"].startswith(message)
    assert error["param"] == param
    assert used(server) == 0


@pytest.mark.parametrize(
    "kind",
    ["application/json", "multipart/form-data", "multipart/form-data; boundary=", "text/x; ;"],
)
def test_a_body_that_is_no_form_is_refused(server, kind):
    response = server.client.post("/v1/files", content=FILE, headers={"content-type": kind})
    message = server.error(response, 415)["message"]

    assert (
        message
        == f"the body's content-type is {kind!r}, and must be multipart/form-data; boundary=..."
    )


@pytest.mark.long
def test_a_form_that_is_cut_anywhere_is_refused(server):
    whole = FILE + PURPOSE + END
    for length in range(len(whole) - 2):  # the line break behind the last boundary says nothing
        response = server.client.post("/v1/files", content=whole[:length], headers=KIND)
        server.error(response, 400)
        assert used(server) == 0


@pytest.mark.long
@settings(max_examples=200)
@given(
    pieces=st.lists(
        st.sampled_from([FILE, PURPOSE, END, b"\r\n", b"--", b"--b0undary", b":", b"\x00\xff"])
        | st.binary(max_size=20)
    )
)
def test_no_form_breaks_the_server(server, pieces):
    response = server.client.post("/v1/files", content=b"".join(pieces), headers=KIND)

    assert response.status_code in {200, 400}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 10_000])
def test_pages_put_together_are_the_list(server, order, limit):
    made = [server.openai.files.create(file=(f"{i}", b""), purpose="evals") for i in range(7)]
    pages = list(server.openai.files.list(limit=limit, order=order).iter_pages())
    listed = list(chain.from_iterable(page.data for page in pages))

    assert [file.id for file in listed] == [f.id for f in made][:: 1 if order == "asc" else -1]
    assert [len(page.data) for page in pages[:-1]] == [limit] * (len(pages) - 1)


def test_the_last_file_comes_first_and_all_come_at_once(server):
    made = [server.openai.files.create(file=("x", b""), purpose="evals") for _ in range(25)]

    assert [f.id for f in server.openai.files.list().data] == [f.id for f in reversed(made)]


def test_files_are_listed_by_purpose(server):
    for purpose in PURPOSES:
        server.openai.files.create(file=(purpose, b""), purpose=purpose)

    assert [file.filename for file in server.openai.files.list(purpose="batch")] == ["batch"]
    assert list(server.openai.files.list(purpose="other")) == []


@pytest.mark.parametrize(
    ("query", "param", "message"),
    [
        ("limit=0", "limit", "limit is '0', and must be a number from 1 to 10,000"),
        ("limit=10001", "limit", "limit is '10001', and must be a number from 1 to 10,000"),
        ("limit=x", "limit", "limit is 'x', and must be a number from 1 to 10,000"),
        ("order=up", "order", "order is 'up', and must be asc or desc"),
        ("after=file-1", "after", "after is 'file-1', and no such file"),
    ],
)
def test_a_wrong_query_is_refused(server, query, param, message):
    error = server.error(server.client.get(f"/v1/files?{query}"), 400)

    assert (error["param"], error["message"]) == (param, message)


@pytest.mark.parametrize("path", ["", "/content"])
@pytest.mark.parametrize("name", ["file-1", "..%2F..%2Fetc%2Fpasswd", "%00", "x" * 500])
def test_what_is_not_there_is_not_found(server, name, path):
    assert server.client.get(f"/v1/files/{name}{path}").status_code == 404


def test_the_file_of_a_request_is_found_by_its_id(server):
    file = server.openai.files.create(file=("x", ROW), purpose="evals")
    assert file_of(server.shared, file.id, "training_file").path.read_bytes() == ROW

    for name in (None, 3, [], "file-1", "../x"):
        with pytest.raises(ApiError, match="no file on this server has that id") as caught:
            file_of(server.shared, name, "training_file")
        assert (caught.value.status, caught.value.param) == (400, "training_file")


def test_a_file_that_is_read_goes_with_its_last_reader(server):
    file = server.openai.files.create(file=("x", ROW), purpose="evals")
    stored = file_of(server.shared, file.id, "id")
    with reading(server.shared, stored) as path:
        with reading(server.shared, stored):
            server.openai.files.delete(file.id)
        assert path.read_bytes() == ROW
        assert used(server) == len(ROW)
    assert not path.exists()
    assert used(server) == 0


def test_a_download_goes_on_when_its_file_is_deleted():
    data = bytes(range(256)) * 80_000
    with serving() as served:
        file = served.openai.files.create(file=("x", data), purpose="evals")
        with served.client.stream("GET", f"/v1/files/{file.id}/content") as response:
            rest = response.iter_raw()
            got = bytearray(next(rest))
            served.openai.files.delete(file.id)
            assert list(served.openai.files.list()) == []
            assert used(served) == len(data)
            for piece in rest:
                got += piece
        assert got == data


def test_the_room_is_bounded_and_what_is_deleted_makes_room():
    with serving(stored_bytes=1_000) as served:
        first = served.openai.files.create(file=("x", b"x" * 700), purpose="evals")
        with pytest.raises(
            openai.BadRequestError, match="keeps 1,000 bytes, and no more"
        ) as caught:
            served.openai.files.create(file=("x", b"x" * 700), purpose="evals")
        assert caught.value.code == "storage-full"
        assert used(served) == 700
        served.openai.files.delete(first.id)
        served.openai.files.create(file=("x", b"x" * 1_000), purpose="evals")


def test_the_number_of_files_is_bounded():
    with serving(stored_objects=2) as served:
        for _ in range(2):
            served.openai.files.create(file=("x", b"x"), purpose="evals")
        with pytest.raises(openai.BadRequestError, match="keeps 2 files, and no more; delete some"):
            served.openai.files.create(file=("x", b"x"), purpose="evals")
        assert used(served) == 2


def test_an_upload_that_breaks_off_leaves_nothing_and_holds_up_nobody():
    """A long upload is under way, of which memory holds a piece: others are not refused for it."""
    with serving(in_flight_bytes=2_000, body_bytes=1_000) as served:
        host, port = served.url.removeprefix("http://").split(":")
        head = f"POST /v1/files HTTP/1.1\r\nhost: {host}\r\ncontent-length: 9000000\r\n"
        with socket.create_connection((host, int(port))) as sock:
            sock.sendall(f"{head}content-type: {KIND['content-type']}\r\n\r\n".encode() + FILE)
            while served.shared.room.used == 0:  # until the server has read of it
                assert served.client.get("/health").status_code == 200
            small = served.openai.files.create(file=("x", b"x" * 100), purpose="evals")
        while served.shared.room.used != 100:
            assert served.client.get("/health").status_code == 200
        assert [file.id for file in served.openai.files.list()] == [small.id]


def test_memory_does_not_grow_with_an_upload():
    piece, pieces = b"0123456789abcde\n" * 4_096, 400  # 26 MB

    def body():
        yield part("file", b"", "x").removesuffix(b"\r\n")
        for _ in range(pieces):
            yield piece
        yield b"\r\n" + PURPOSE + END

    with serving() as served:
        tracemalloc.start()
        try:
            file = served.client.post("/v1/files", content=body(), headers=KIND).json()
            with served.client.stream("GET", f"/v1/files/{file['id']}/content") as response:
                read = sum(map(len, response.iter_raw()))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert file["bytes"] == read == len(piece) * pieces
    assert peak < 8_000_000
