"""What the simulated shop does not make by itself, added to its happenings: so every measure has something to count.

Pauses about as long as ends a session, clicks on personalizations, promotions, reopened tickets, repeated purchases,
carts without an id, visits before the login, shared devices, aliases, e-mails and phones in several spellings.
Of experiments: a third variant, views of two variants, without a version or a variant, and controls that are treated.
Decisions come from a seeded generator; which person does what depends on the person's number, so a person is the same
in every visit.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any
from zlib import crc32

from cockpit.simulator.tape import Happening

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

Json = dict[str, Any]
CARTS = ("add_to_cart", "remove_from_cart", "view_cart", "begin_checkout", "add_payment_info", "purchase")
USE_CASES = {"reco-vitrine": "recommendations", "cart-reminder": "cart", "churn-offer": "churn"}
PHONES = ("+55 11 9{0:08}", "(11) 9{0:08}", "55119{0:08}")


class Additions:
    """Rewrites who and adds what; one instance for a whole stream."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._returned: set[str] = set()  # sessions of those who came back for their cart
        self._added: dict[str, Callable[[Happening], Iterator[Happening]]] = {
            "page": self._page,
            "screen": self._page,
            "identify": self._identify,
            "add_to_cart": self._add_to_cart,
            "personalization_delivered": self._delivered,
            "support_ticket_replied": self._replied,
            "support_ticket_resolved": self._resolved,
            "purchase": self._purchase,
            "experiment_viewed": self._viewed,
            "message_delivered": self._message_delivered,
        }

    def to(self, happening: Happening) -> Iterator[Happening]:
        """The happening as it is to be sent, if it is, and what follows from it."""
        message = self._disguised(_allotted(happening.message))
        name = message.get("event", message["type"])
        session_id = str(message.get("properties", {}).get("session_id"))
        if name == "page" and message["name"] == "Carrinho":
            self._returned.add(session_id)
        if name == "begin_checkout" and session_id in self._returned and _odds(session_id, 2):
            return  # bought at once: then the reminder, not a new activity, lies before the purchase
        sent = Happening(happening.at_us, message)
        yield sent
        if name in self._added:
            yield from self._added[name](sent)

    def _disguised(self, message: Json) -> Json:
        """Known people partly share devices and begin some visits logged out; some carts have no id."""
        user, properties = message.get("userId"), message.get("properties", {})
        number = _number(message)
        if user is None or "anonymousId" in message or number % 10 >= 4:
            return message
        if number % 4 == 0 and message.get("event") in CARTS:
            kept = {name: value for name, value in properties.items() if name != "cart_id"}
            return {**message, "properties": kept}
        if number % 2 and "session_id" in properties:
            device = {"anonymousId": f"dev-{number // 4}"}
            bare = {name: value for name, value in message.items() if name != "userId"}
            return {**(bare if _odds(properties["session_id"], 5) else message), **device}
        return message

    def _page(self, sent: Happening) -> Iterator[Happening]:
        rng, number = self._rng, _number(sent.message)
        if rng.random() < 0.3:
            wait_us = int(rng.expovariate(1 / (20 * SECOND_US)))
            yield self._after(sent, "user_engagement", wait_us, engagement_time_msec=wait_us // 1000)
        if rng.random() < 0.15:  # back after about as long as ends a session, at times exactly so long
            pause_us = rng.choice((30 * MINUTE_US, int(rng.uniform(24, 40) * MINUTE_US)))
            yield self._after(sent, "search", pause_us, search_term="?")
        if rng.random() < 0.15:
            promotion = {"promotion_id": f"promo-{rng.randrange(5)}"}
            yield self._after(sent, "view_promotion", 200_000, **promotion)
            if rng.random() < 0.3:
                yield self._after(sent, "select_promotion", self._mostly_soon(), **promotion)
        if rng.random() < 0.05 and "userId" not in sent.message:
            user = f"u-{number % 400 * 10 + 3:06}"  # a known person, whose carts have ids
            alias = {"type": "alias", "userId": user, "previousId": sent.message["anonymousId"]}
            yield self._made(sent, alias, MINUTE_US)

    def _identify(self, sent: Happening) -> Iterator[Happening]:
        """The same person once more with an e-mail and a phone; every third shares them with two others."""
        number = _number(sent.message)
        family = number // 3 if number % 3 else 1_000_000 + number
        traits = {"segment": sent.message["traits"]["segment"]}
        traits["email"] = f"  Pessoa.{family}@Exemplo.com.br " if number % 2 else f"pessoa.{family}@exemplo.com.br"
        if number % 5 == 0:
            traits["phone"] = PHONES[number % 3].format(family)
        message = {name: value for name, value in sent.message.items() if name != "anonymousId"}
        yield self._made(sent, {**message, "traits": traits}, 5 * SECOND_US)

    def _add_to_cart(self, sent: Happening) -> Iterator[Happening]:
        if self._rng.random() < 0.1:
            kept = {**sent.message["properties"]}
            yield self._made(sent, {**sent.message, "event": "remove_from_cart", "properties": kept}, 7 * SECOND_US)

    def _delivered(self, sent: Happening) -> Iterator[Happening]:
        rng = self._rng
        if rng.random() < 0.2:
            wait_us = self._mostly_soon() if rng.random() < 0.9 else -200_000  # clocks differ
            yield self._made(sent, {**sent.message, "event": "personalization_clicked"}, wait_us)

    def _replied(self, sent: Happening) -> Iterator[Happening]:
        if sent.message["properties"]["author"] == "bot" and self._rng.random() < 0.4:
            yield self._after(sent, "support_ticket_replied", 11 * MINUTE_US, author="agent")

    def _resolved(self, sent: Happening) -> Iterator[Happening]:
        if self._rng.random() < 0.2:
            yield self._after(sent, "support_ticket_opened", HOUR_US)
            if self._rng.random() < 0.5:
                yield self._after(sent, "support_ticket_resolved", 3 * HOUR_US)

    def _purchase(self, sent: Happening) -> Iterator[Happening]:
        rng = self._rng
        if rng.random() < 0.03:
            yield self._made(sent, dict(sent.message), 3 * SECOND_US)  # the same transaction, another message
        if rng.random() < 0.03:
            reason = rng.choice(("payment", "voluntary"))
            yield self._after(
                sent, "subscription_cancelled", DAY_US, subscription_id="s", reason=reason, value_cents=2990
            )
        if rng.random() < 0.1:
            yield self._again(sent)

    def _again(self, sent: Happening) -> Happening:
        """Bought once more without a cart, days later."""
        order = {name: value for name, value in sent.message["properties"].items() if name != "session_id"}
        order |= {"cart_id": f"{order.get('cart_id')}+", "transaction_id": f"{order['transaction_id']}+"}
        if _number(sent.message) % 4 == 0:
            del order["cart_id"]
        later_us = int(self._rng.uniform(1, 4) * DAY_US)
        return self._made(sent, {**sent.message, "properties": order}, later_us)

    def _viewed(self, sent: Happening) -> Iterator[Happening]:
        """Some get into another variant hours later; some of the control get what they should not."""
        number, properties = _number(sent.message), sent.message["properties"]
        if number % 30 in (1, 14):
            other = "control" if number % 30 == 14 and properties.get("variant_id") != "control" else "other"
            yield self._after(sent, "experiment_viewed", 3 * HOUR_US, variant_id=other)
        if number % 4 == 0 and properties.get("variant_id") == "control":
            case = USE_CASES.get(properties["experiment_id"], "recommendations")
            yield self._after(sent, "personalization_delivered", 10 * MINUTE_US, use_case=case, experience_id="wrong")

    def _message_delivered(self, sent: Happening) -> Iterator[Happening]:
        if _odds(sent.message["messageId"], 10):
            yield self._after(sent, "message_unsubscribed", HOUR_US)

    def _mostly_soon(self) -> int:
        soon = self._rng.random() < 0.9
        return int(self._rng.expovariate(1 / (10 * MINUTE_US)) if soon else self._rng.uniform(23, 30) * HOUR_US)

    def _after(self, sent: Happening, event: str, wait_us: int, **properties: object) -> Happening:
        ids: Json = {name: sent.message[name] for name in ("userId", "anonymousId") if name in sent.message}
        about = {**sent.message["properties"], **properties}
        return self._made(sent, {"type": "track", "event": event, **ids, "properties": about}, wait_us)

    def _made(self, sent: Happening, message: Json, wait_us: int) -> Happening:
        name = message.get("event", message["type"])
        message_id = f"{sent.message['messageId']}+{name}{wait_us}"
        return Happening(sent.at_us + wait_us, {**message, "messageId": message_id})


def _allotted(message: Json) -> Json:
    """A view of an experiment as some senders write it, and with more variants."""
    if message.get("event") != "experiment_viewed":
        return message
    number, properties = _number(message), dict(message["properties"])
    if properties["variant_id"] != "control" and number % 3 == 0:
        properties["variant_id"] = "bold"
    if properties["experiment_id"] != "reco-vitrine" and number % 2:
        del properties["version"]
    if number % 50 == 7:
        del properties["variant_id"]
    return {**message, "properties": properties}


def _number(message: Json) -> int:
    """Of the person behind the ids: the digits that end them."""
    return int(str(message.get("anonymousId") or message["userId"]).rpartition("-")[2])


def _odds(text: str, one_in: int) -> bool:
    return crc32(text.encode()) % one_in == 0
