"""Images and clips are looked at before they are sent."""

from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.clients import Message
from graders.clients.media import MAX_BYTES, check_media
from graders.errors import FailureKind, GradingError

BYTES = {
    "png": b"\x89PNG\r\n\x1a\n....",
    "jpeg": b"\xff\xd8\xff\xe0..JFIF",
    "webp": b"RIFF\x24\x00\x00\x00WEBPVP8 ",
    "gif": b"GIF89a....",
    "gif87": b"GIF87a....",
    "mp3": b"ID3\x04....",
    "mp3 frame": b"\xff\xfb\x90\x00....",
    "wav": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "aac": b"\xff\xf1\x50\x80....",
}


def text(name):
    return b64encode(BYTES[name]).decode()


def image(url):
    return {"type": "input_image", "image_url": url}


def clip(data, format_):
    return {"type": "input_audio", "input_audio": {"data": data, "format": format_}}


def problem(block):
    """What is said about the second block of the second message."""
    messages = [Message("system", "Fair."), Message("user", ["see", block])]
    with pytest.raises(GradingError) as caught:
        check_media(messages)
    return caught.value.failure


@pytest.mark.parametrize(
    "block",
    [
        image(f"data:image/png;base64,{text('png')}"),
        image(f"DATA:IMAGE/PNG;BASE64,{text('png')}"),
        image(f"data:image/png;charset=x;base64,{text('png')}"),
        image(f"data:image/jpeg;base64,{text('jpeg')}"),
        image(f"data:image/jpg;base64,{text('jpeg')}"),
        image(f"data:image/webp;base64,{text('webp')}"),
        image(f"data:image/gif;base64,{text('gif')}"),
        image(f"data:image/gif;base64,{text('gif87')}"),
        image("https://x.example/a.png?b=c#d"),
        image("HTTP://127.0.0.1:8000/a"),
        clip(text("mp3"), "mp3"),
        clip(text("mp3 frame"), "mp3"),
        clip(text("wav"), "wav"),
        "text",
        {"type": "input_text", "text": "data:image/png;base64,?"},
    ],
)
def test_what_is_what_it_says_passes(block):
    """An address is not looked behind."""
    check_media([Message("user", [block]), Message("user", "data:image/png;base64,?")])


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "'' is neither an http(s) address nor a data URL (data:image/...)"),
        ("cat.png", "'cat.png' is neither an http(s) address nor a data URL"),
        ("file:///etc/passwd", "'file:///etc/passwd' is neither"),
        ("https://", "'https://' is neither"),
        ("https://[", "'https://[' is neither"),
        ("https://a b/", "'https://a b/' is neither"),
        ("https://a/\n", "'https://a/\\n' is neither"),
        ("ftp://x.example/a.png", "'ftp://x.example/a.png' is neither"),
        (text("png"), "is neither"),
        (7, "7 is not a text; an http(s) address or a data URL is wanted"),
        ("data:image/png,abc", "'data:image/png,abc' is not data:image/TYPE;base64,DATA"),
        ("data:image/png;base64", "'data:image/png;base64' is not data:image/TYPE;base64,DATA"),
        (f"data:;base64,{text('png')}", "'no media type' is not one of image/png, image/jpeg, "
         "image/webp, image/gif"),
        (f"data:image/svg+xml;base64,{text('png')}", "'image/svg+xml' is not one of image/png"),
        (f"data:audio/wav;base64,{text('wav')}", "'audio/wav' is not one of image/png"),
        ("data:image/png;base64,iVBO!", "its data is not base64: Only base64 data is allowed"),
        ("data:image/png;base64,iVBOR", "its data is not base64: "),
        ("data:image/png;base64,iVBO\nRw0K", "its data is not base64: "),
        ("data:image/png;base64,é", "its data is not base64: "),
        ("data:image/png;base64,", "it is declared image/png, and is empty"),
        (f"data:image/png;base64,{text('jpeg')}", "it is declared image/png, and is image/jpeg"),
        (f"data:image/jpg;base64,{text('png')}", "it is declared image/jpeg, and is image/png"),
        (f"data:image/webp;base64,{text('wav')}", "it is declared image/webp, and is unknown data "
         "that begins with b'RIFF$\\x00\\x00\\x00'"),
    ],
)  # fmt: skip
def test_an_image_that_cannot_be_sent_says_where_and_why(url, message):
    """The row's data is wrong: neither the service nor the judge is to blame."""
    failure = problem(image(url))

    assert (failure.kind, failure.reason) == (FailureKind.OTHER, "bad_image")
    assert failure.message.startswith("messages[1].content[1].image_url: ")
    assert message in failure.message


@pytest.mark.parametrize(
    ("data", "format_", "message"),
    [
        (text("wav"), "flac", "the format 'flac' is not one of mp3, wav"),
        (text("wav"), None, "the format None is not one of mp3, wav"),
        (text("wav"), "mp3", "it is declared mp3, and is wav"),
        (text("mp3"), "wav", "it is declared wav, and is mp3"),
        (text("aac"), "mp3", "and is unknown data that begins with b'\\xff\\xf1P\\x80"),
        (b64encode(b"\xff").decode(), "mp3", "and is unknown data that begins with b'\\xff'"),
        (7, "mp3", "7 is not a text; base64 is wanted"),
        ("", "wav", "it is declared wav, and is empty"),
        ("UklG?", "wav", "its data is not base64: "),
        (f"data:audio/wav;base64,{text('wav')}", "wav",
         "it is a data URL; only the base64 behind its comma is wanted"),
    ],
)  # fmt: skip
def test_a_clip_that_cannot_be_sent_says_where_and_why(data, format_, message):
    """The same for audio."""
    failure = problem(clip(data, format_))

    assert (failure.kind, failure.reason) == (FailureKind.OTHER, "bad_audio")
    assert failure.message.startswith("messages[1].content[1].input_audio.data: ")
    assert message in failure.message


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False), (1024**2, False)])
def test_size_counts_decoded_bytes(extra, fits):
    """The last byte that fits, the first that does not, and what is not even decoded."""
    data = b64encode(BYTES["png"].ljust(MAX_BYTES + extra, b".")).decode()
    block = image(f"data:image/png;base64,{data}")
    if fits:
        check_media([Message("user", [block])])
    else:
        assert "MiB; at most 20 MiB can be sent" in problem(block).message


@given(st.text(max_size=40), st.sampled_from(["", "data:", "data:image/png;base64,", "https://"]))
def test_any_text_passes_or_fails_as_the_rows_own(rest, start):
    """Nothing in a row can stop the run; no other exception gets out."""
    with suppress(GradingError):
        check_media([Message("user", [image(start + rest), clip(rest, "mp3")])])
