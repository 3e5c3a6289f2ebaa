"""The ledger and the budget: what was spent, what is not known, and when sending stops."""

import asyncio
import dataclasses
import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.clients import ModelReply, ModelRequest, ScriptedClient
from graders.clients.budget import Budgeted, UnpricedError
from graders.errors import FailureKind, GradingError
from graders.grades import Usage
from graders.ledger import OTHERS, Ledger, price_usd

USAGE = Usage(prompt_tokens=1000, completion_tokens=100, total_tokens=1100, cached_tokens=200)
ASK = ModelRequest(model="gpt-4o", messages=(), schema=None, sampling={})
OPENAI, LOCAL = "https://api.openai.com/v1", "http://127.0.0.1:8080/v1"


# --- prices


@pytest.mark.parametrize(
    ("model", "base_url", "usd"),
    [
        # 800 prompt tokens at $2.50 a million, 200 cached at $1.25, 100 of the answer at $10.
        ("gpt-4o-2024-08-06", "", "0.00325"),
        ("gpt-4o", OPENAI, "0.00325"),
        ("gpt-4o", "https://mine.openai.azure.com/openai/v1", "0.00325"),
        # 800 at $0.40, 200 at $0.10, 100 at $1.60.
        ("gpt-4.1-mini-2025-04-14", "", "0.0005"),
        ("gpt-4o", LOCAL, None),
        ("my-model", "", None),
        ("my-model", OPENAI, None),
        ("", "", None),
    ],
)
def test_prices(model, base_url, usd):
    """By the published price a token; a server of one's own has none, whatever it serves."""
    assert price_usd(model, USAGE, base_url) == (None if usd is None else Decimal(usd))


@given(st.builds(Usage, **dict.fromkeys(Usage.__struct_fields__, st.integers(-5, 10**9))))
def test_no_count_of_tokens_breaks_the_price(usage):
    """Services have said stranger things than more cached tokens than there were."""
    assert price_usd("gpt-4o", usage) >= 0


def test_prices_need_no_network_and_no_extra():
    """They come with the package; without it a price is not known, and that is no error."""
    code = (
        "import socket, sys\n"
        "from graders.grades import Usage; from graders.ledger import price_usd\n"
        "def refuse(*_): raise SystemExit('a connection')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "assert 'genai_prices' not in sys.modules\n"
        "{}\n"
        "print(price_usd('gpt-4o', Usage(prompt_tokens=1000000)))"
    )

    def price(setup):
        command = [sys.executable, "-c", code.format(setup)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    assert Decimal(price("")) == Decimal("2.5")
    assert price("sys.modules['genai_prices'] = None") == "None"


# --- the ledger


def test_asked_and_cached_are_counted_apart():
    """Tokens of both; only what was asked is paid."""
    ledger = Ledger()
    for model, cached in [("gpt-4o", False), ("gpt-4o", True), ("gpt-4o", True), ("o3", False)]:
        ledger.add(model, USAGE, cached=cached)
    account = ledger.accounts["gpt-4o"]

    assert (account.calls, account.cached_calls) == (1, 2)
    assert (account.usage, account.cached_usage) == (USAGE, USAGE + USAGE)
    assert account.usd == Decimal("0.00325")
    assert list(ledger.accounts) == ["gpt-4o", "o3"]
    assert ledger.tokens == 2200
    assert ledger.usd == account.usd + ledger.accounts["o3"].usd


@pytest.mark.parametrize(
    ("model", "usage", "cached", "usd"),
    [
        ("mine", USAGE, False, None),
        ("mine", USAGE, True, Decimal(0)),  # nothing was paid, and that is known
        ("gpt-4o", None, False, None),  # the service did not say how many tokens
        ("gpt-4o", None, True, Decimal(0)),
    ],
)
def test_a_cost_that_is_not_known_is_not_zero(model, usage, cached, usd):
    """And one unknown part makes the sum unknown."""
    ledger = Ledger()
    ledger.add(model, usage, cached=cached)
    assert ledger.usd == usd

    ledger.add("gpt-4o", USAGE, cached=False)
    ledger.add(model, usage, cached=cached)
    assert ledger.usd == (None if usd is None else Decimal("0.00325"))
    assert ledger.silent == (2 if usage is None and not cached else 0)


def test_nothing_asked_costs_nothing():
    """An empty ledger is a known zero."""
    assert (Ledger().tokens, Ledger().usd) == (0, 0)


# --- the budget


class Held:
    """A client whose answers are let go one by one."""

    def __init__(self, reply):
        self.reply, self.waiting, self.asked, self.most = reply, [], 0, 0

    async def complete(self, _request):
        self.asked += 1
        done = asyncio.get_running_loop().create_future()
        self.waiting.append(done)
        self.most = max(self.most, len(self.waiting))
        await done
        return self.reply if isinstance(self.reply, ModelReply) else next(self.reply)


def spend(count, reply, order=0, **budget):
    """Ask `count` times at once, let answers go in some order; who was refused, and the ledger."""
    ledger = Ledger()

    async def work():
        held = Held(reply)
        client = Budgeted(held, ledger, **budget)
        tasks = [asyncio.create_task(client.complete(ASK)) for _ in range(count)]
        for _ in range(3 * count):
            for _ in range(4):
                await asyncio.sleep(0)  # tasks run until they wait
            if held.waiting:
                held.waiting.pop(order % len(held.waiting)).set_result(None)
        return await asyncio.gather(*tasks, return_exceptions=True), held

    outcomes, held = asyncio.run(work())
    return [o for o in outcomes if isinstance(o, Exception)], held, ledger


TEN = ModelReply(usage=Usage(prompt_tokens=7, completion_tokens=3, total_tokens=10))


@given(
    tokens=st.integers(1, 200),
    in_flight=st.integers(1, 8),
    count=st.integers(1, 30),
    order=st.integers(0, 9),
)
def test_the_overshoot_is_less_than_one_answer_where_all_take_the_same(
    tokens, in_flight, count, order
):
    """Whatever answer comes first: below the budget all is asked, and above it nothing more."""
    refused, held, ledger = spend(count, TEN, order, tokens=tokens, in_flight=in_flight)
    needed = -(-tokens // 10)  # answers that use the budget up

    assert held.most <= in_flight
    assert held.asked + len(refused) == count
    assert held.asked == min(count, needed)
    assert ledger.tokens == 10 * held.asked < tokens + 10
    assert bool(ledger.stopped) == bool(refused)


def took(tokens):
    return ModelReply(usage=Usage(prompt_tokens=7, completion_tokens=tokens - 7))


def test_the_overshoot_is_as_large_as_stated():
    """Less than one request, and what those under way took more than their estimates.

    The first takes ten tokens, so that four more fit beside each other, which take a hundred each.
    """
    answers = (took(tokens) for tokens in (10, *[100] * 20))
    refused, held, ledger = spend(20, answers, tokens=50, in_flight=8)

    assert (held.asked, held.most, ledger.tokens, len(refused)) == (5, 4, 410, 15)
    assert ledger.tokens - 50 < 10 + 4 * 90
    assert ledger.stopped == "the budget of 50 tokens is used up (410 spent)"


def test_an_estimate_follows_the_answers():
    """Longer answers than the first let fewer go beside each other."""
    answers = (took(tokens) for tokens in (10, *[100] * 99))
    refused, held, ledger = spend(99, answers, order=3, tokens=2_000, in_flight=4)

    assert 2_000 <= ledger.tokens < 2_000 + 100 + 4 * 10
    assert (held.most, len(refused)) == (4, 99 - held.asked)


def test_requests_that_fail_hold_no_budget():
    """Nor does one that is cancelled: the others go on."""
    failure = GradingError(FailureKind.MODEL_SERVER, "HTTP 503", "http_503")
    replies = [failure, TEN, failure, TEN, TEN]

    def answer(_):
        reply = replies.pop(0)
        if isinstance(reply, GradingError):
            raise reply
        return reply

    async def work():
        client = Budgeted(ScriptedClient(answer), ledger, tokens=30)
        waiting = asyncio.create_task(Budgeted(Held(TEN), ledger, tokens=30).complete(ASK))
        await asyncio.sleep(0)
        waiting.cancel()
        return await asyncio.gather(*[client.complete(ASK) for _ in range(6)],
                                    return_exceptions=True)  # fmt: skip

    ledger = Ledger()
    outcomes = asyncio.run(work())

    said = [str(outcome) for outcome in outcomes if isinstance(outcome, Exception)]
    assert said == ["HTTP 503", "HTTP 503",
                    "not asked: the budget of 30 tokens is used up (30 spent)"]  # fmt: skip


@pytest.mark.parametrize(("usd", "asked"), [(0.003, 1), (0.0033, 2), (0.03, 10), (0.0325, 10)])
def test_dollars_are_reserved_like_tokens(usd, asked):
    """An answer costs $0.00325, and is reserved at what a token cost so far."""
    pytest.importorskip("genai_prices")
    _, held, ledger = spend(64, ModelReply(usage=USAGE), usd=usd)

    assert held.asked == asked
    assert ledger.usd == asked * Decimal("0.00325")


@pytest.mark.parametrize(
    ("budget", "reply", "asked", "stopped"),
    [
        ({"tokens": 25}, TEN, 3, "the budget of 25 tokens is used up (30 spent)"),
        (
            {"usd": 0.005},
            ModelReply(usage=USAGE),
            2,
            "the budget of $0.0050 is used up (about $0.0065 spent)",
        ),
        (
            {"tokens": 25},
            ModelReply(),
            1,
            "the service does not say how many tokens an answer took, "
            "so that no budget can be kept",
        ),
    ],
)
def test_a_request_over_budget_is_not_sent(budget, reply, asked, stopped):
    """It fails with a reason of its own, which says how much was spent; so do all after it."""
    refused, held, ledger = spend(5, reply, in_flight=1, **budget)

    assert held.asked == asked
    assert ledger.stopped == stopped
    assert {error.failure.message for error in refused} == {f"not asked: {stopped}"}
    assert {(error.failure.kind, error.failure.reason) for error in refused} == {
        (FailureKind.MODEL_SERVER, "over_budget")
    }


def test_what_was_answered_before_is_free():
    """A cache's answers are counted, and use no budget."""
    refused, held, ledger = spend(9, dataclasses.replace(TEN, cached=True), tokens=1)

    assert (len(refused), held.asked, ledger.tokens) == (0, 9, 0)
    assert ledger.accounts["gpt-4o"].cached_usage.prompt_tokens == 63


def test_without_a_budget_all_is_asked_at_once_and_counted():
    """Concurrency is then the client's own business."""
    refused, held, ledger = spend(99, TEN)

    assert (len(refused), held.most, ledger.tokens) == (0, 99, 990)


def test_a_failure_is_not_counted_as_an_answer():
    """What it took is not known; it comes out as it is."""

    def fail(_request):
        raise GradingError(FailureKind.MODEL_SERVER, "down")

    ledger = Ledger()
    with pytest.raises(GradingError, match="down"):
        asyncio.run(Budgeted(ScriptedClient(fail), ledger, tokens=5).complete(ASK))
    assert ledger.accounts == {}


@pytest.mark.parametrize(("base_url", "at"), [("", ""), (LOCAL, f" at {LOCAL}")])
def test_dollars_need_a_price(base_url, at):
    """A budget that cannot be kept is refused before anything is sent."""
    scripted = ScriptedClient(lambda _: TEN)
    client = Budgeted(scripted, Ledger(base_url), usd=1)

    with pytest.raises(UnpricedError) as caught:
        asyncio.run(client.complete(dataclasses.replace(ASK, model="mine")))
    assert str(caught.value) == (
        f"a budget in dollars cannot be kept: the price of 'mine'{at} is not known; give the "
        "budget in tokens: --budget-tokens N"
    )
    assert scripted.asked == []


def test_it_serves_one_event_loop_after_another():
    """As each `grade` brings its own, also where requests have to wait for each other."""

    class Waits:
        async def complete(self, _request):
            await asyncio.sleep(0)
            return TEN

    ledger = Ledger()
    client = Budgeted(Waits(), ledger, tokens=1000, in_flight=1)

    async def work():
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(client.complete(ASK))

    for _ in range(3):
        asyncio.run(work())
    assert ledger.tokens == 150


def test_a_ledger_does_not_grow_with_the_names_of_models():
    """A server is sent whatever names there are; the sums are those of all."""
    ledger = Ledger()
    for i in range(1_010):
        ledger.add(f"{i}{'x' * 1_000}", USAGE, cached=False)
    ledger.add(f"3{'x' * 1_000}", USAGE, cached=False)

    assert len(ledger.accounts) == 1_001
    assert max(map(len, ledger.accounts)) == 256
    assert (ledger.accounts[OTHERS].calls, ledger.tokens) == (10, 1_011 * 1_100)
