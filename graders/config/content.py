"""Messages of model graders, and the blocks they are made of.

Every string in every block is a template: an image's address and an audio clip's data included.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

TAG = "\0"
"""Begins the names pydantic gives to the members of a union, so that paths can leave them out."""

_SHAPE = TAG + TAG
"""Begins those of members that have no `type` to be told by."""


class Frozen(BaseModel):
    """What every part of a config has in common.

    Strict, because `"0.5"` is not a number and `true` is not 1; unknown keys are kept (the
    service tolerates them) and reported by `graders.config.parse`.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: object) -> object:
        """Null means nothing where a field may be left out; the SDKs write it so."""
        if not isinstance(value, dict):
            return value
        fields = cls.model_fields.items()
        optional = {name for name, info in fields if not info.is_required() and info.default}
        return {k: v for k, v in value.items() if v is not None or k not in optional}


class InputText(Frozen):
    """Text of a user, system or developer message."""

    type: Literal["input_text"]
    text: str

    def templates(self) -> Iterator[tuple[str, str]]:
        yield ".text", self.text


class OutputText(Frozen):
    """Text of an assistant message."""

    type: Literal["output_text"]
    text: str

    def templates(self) -> Iterator[tuple[str, str]]:
        yield ".text", self.text


class InputImage(Frozen):
    """An image by address or as a data URL."""

    type: Literal["input_image"]
    image_url: str
    detail: Literal["low", "high", "auto"] = "auto"
    file_id: None = None  # real configs carry `"file_id": null`

    def templates(self) -> Iterator[tuple[str, str]]:
        yield ".image_url", self.image_url


class AudioData(Frozen):
    """A clip: base64 text and how it is encoded."""

    data: str
    format: Literal["mp3", "wav"]


class InputAudio(Frozen):
    """An audio clip."""

    type: Literal["input_audio"]
    input_audio: AudioData

    def templates(self) -> Iterator[tuple[str, str]]:
        yield ".input_audio.data", self.input_audio.data


def by_type(value: object) -> str | None:
    """Which member of a union an object says it is, by its `type`."""
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return None if kind is None else f"{TAG}{kind}"


def _text_or_block(value: object) -> str | None:
    return _SHAPE + "text" if isinstance(value, str) else by_type(value)


def _content(value: object) -> str | None:
    return _SHAPE + "array" if isinstance(value, (list, tuple)) else _text_or_block(value)


Text = Annotated[str, Tag(_SHAPE + "text")]
Block = (
    Annotated[InputText, Tag(TAG + "input_text")]
    | Annotated[OutputText, Tag(TAG + "output_text")]
    | Annotated[InputImage, Tag(TAG + "input_image")]
    | Annotated[InputAudio, Tag(TAG + "input_audio")]
)
Part = Annotated[Text | Block, Discriminator(_text_or_block)]
Parts = Annotated[tuple[Part, ...], Field(strict=False, min_length=1), Tag(_SHAPE + "array")]
Content = Annotated[Text | Block | Parts, Discriminator(_content)]


class Message(Frozen):
    """One message to a judge."""

    role: Literal["user", "assistant", "system", "developer"]
    content: Content
    type: Literal["message"] = "message"

    def templates(self) -> Iterator[tuple[str, str]]:
        """Every template in it, with its path below the message."""
        if isinstance(self.content, str):
            yield ".content", self.content
        elif isinstance(self.content, tuple):
            for i, part in enumerate(self.content):
                if isinstance(part, str):
                    yield f".content[{i}]", part
                else:
                    yield from ((f".content[{i}]{path}", text) for path, text in part.templates())
        else:
            yield from ((f".content{path}", text) for path, text in self.content.templates())


Messages = Annotated[tuple[Message, ...], Field(strict=False, min_length=1)]
