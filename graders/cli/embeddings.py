"""`--set cosine=server:MODEL` under the options of commands that ask models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graders.cli.clients import embeddings_client

if TYPE_CHECKING:
    from graders.clients.embedding import ServerEmbedder
    from graders.config.parse import Document
    from graders.ledger import Ledger
    from graders.profile import Profile


def asks_embeddings(document: Document, profile: Profile) -> ServerEmbedder | None:
    """The embedder whose server the config's graders ask; None where they ask none."""
    from graders.config.graders import walk
    from graders.kinds.text_similarity import server_asked

    asked = (server_asked(part, profile.metrics) for _, part in walk(document.grader))
    return next(filter(None, asked), None)


@contextmanager
def embedding_profile(
    document: Document, profile: Profile, given: Mapping[str, Any], ledger: Ledger
) -> Iterator[Profile]:
    """The profile of a run, whose embedder keeps to the command's options.

    Says whom it asks, and closes the cache at the end.

    Args:
        document: The config; nothing is set up where it asks for no embeddings.
        profile: As the options `--profile` and `--set` name it.
        given: The command's options.
        ledger: Where answers are entered.

    Raises:
        click.UsageError: An option is given that embeddings do not go by.
        GradersError: The cache cannot be used, or a budget not kept.
    """
    from graders.clients.cache import Cached

    embedder = asks_embeddings(document, profile)
    if embedder is None:
        yield profile
        return
    (client, identity), path = embeddings_client(embedder.model, given, ledger), given["cache"]
    cache = closing(Cached(client, path, identity=identity)) if path else nullcontext()
    with cache as kept:
        limited = replace(embedder, client=client, cache=kept)
        yield replace(profile, metrics=replace(profile.metrics, cosine=limited))
