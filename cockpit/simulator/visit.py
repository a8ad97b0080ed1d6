"""A visit from the first page to the purchase or the abandoned cart, and what a purchase brings with it."""

from typing import Any

from cockpit.simulator.personalize import enter, expose
from cockpit.simulator.shop import Person, Product, refuses
from cockpit.simulator.world import MINUTE_US, Walk, World

AT_RISK = "at_risk"
PAYMENTS = ("pix", "pix", "credit_card", "credit_card", "credit_card", "boleto")
TICKET_REPLY_US = 4 * MINUTE_US
REFUND_US = 90 * MINUTE_US
REFUSAL_SAID = 0.2  # of the visits of those who refuse: they say so sooner than others agree

Basket = list[dict[str, Any]]


def make_visit(world: World, at_us: int) -> None:
    """Write one visit that starts at an instant, of a drawn person through a drawn channel."""
    rng, truth = world.rng, world.truth
    walk = Walk(world, world.crowd.draw(rng), world.channels.draw(rng), at_us)
    first_id = walk.page("Home")
    enter(walk)
    factor = expose(walk, "churn", first_id) if walk.person.segment == AT_RISK else 1.0
    is_refused = refuses(truth, walk.person.profile)
    if rng.random() < (REFUSAL_SAID if is_refused else truth.consent_share):
        walk.pause(4)
        walk.track("consent_updated", purpose="personalization", granted=not is_refused)
    if rng.random() < truth.search_share:
        walk.pause(8)
        walk.track("search", search_term=rng.choice(world.shop.catalogue.searches))
    if rng.random() >= truth.view_share:
        return
    products, viewed_id = _browse(walk)
    factor *= expose(walk, "recommendations", viewed_id)
    if rng.random() < truth.segments[walk.person.segment].cart_share * factor:
        _fill_cart(walk, products)


def _browse(walk: Walk) -> tuple[list[Product], str]:
    """Look at one to about five products; them and the message id of the last view."""
    rng, shop = walk.world.rng, walk.world.shop
    products: list[Product] = []
    while True:
        walk.pause(10)
        product = shop.draw(rng)
        products.append(product)
        item_list = f"reco:{'home' if len(products) == 1 else 'item'}" if rng.random() < 0.5 else "category"
        if rng.random() < 0.7:
            walk.track("view_item_list", item_list_id=item_list, items=[product.item])
            walk.pause(6)
            walk.track("select_item", item_list_id=item_list, items=[product.item])
            walk.pause(1)
        viewed_id = walk.track("view_item", currency="BRL", value=product.price_cents / 100, items=[product.item])
        if rng.random() < 0.4 or len(products) == 8:
            return products, viewed_id


def _fill_cart(walk: Walk, products: list[Product]) -> None:
    rng, truth = walk.world.rng, walk.world.truth
    basket: Basket = []
    cart_id = f"c-{walk.properties['session_id']}"
    for product in products[-2:] if rng.random() < 0.3 else products[-1:]:
        walk.pause(20)
        item = product.item if rng.random() < 0.85 else {**product.item, "quantity": 2}
        basket.append(item)
        walk.track("add_to_cart", cart_id=cart_id, currency="BRL", value=_value([item]), items=[item])
    if rng.random() < truth.checkout_share:
        _begin_checkout(walk, basket, cart_id)
        if rng.random() < truth.purchase_share:
            _purchase(walk, basket, cart_id)
            return
    _leave(walk, basket, cart_id)


def _leave(walk: Walk, basket: Basket, cart_id: str) -> None:
    """The cart stays behind: the engine may remind, and some come back for it."""
    world = walk.world
    walk.pause(15)
    left_id = walk.track("view_cart", cart_id=cart_id, currency="BRL", value=_value(basket), items=basket)
    factor = expose(walk, "cart", left_id)
    if world.rng.random() >= world.truth.recovery_share * factor:
        return
    back_us = walk.at_us + world.wait_us(world.truth.recovery_minutes * MINUTE_US)
    back = Walk(world, walk.person, walk.channel, back_us)
    back.page("Carrinho")
    _begin_checkout(back, basket, cart_id)
    _purchase(back, basket, cart_id)


def _begin_checkout(walk: Walk, basket: Basket, cart_id: str) -> None:
    walk.pause(15)
    walk.track("begin_checkout", cart_id=cart_id, currency="BRL", value=_value(basket), items=basket)


def _purchase(walk: Walk, basket: Basket, cart_id: str) -> None:
    rng, truth = walk.world.rng, walk.world.truth
    common: dict[str, Any] = {"cart_id": cart_id, "currency": "BRL", "value": _value(basket), "items": basket}
    walk.pause(30)
    walk.track("add_payment_info", payment_type=rng.choice(PAYMENTS), **common)
    if not walk.person.is_known and rng.random() < truth.sign_up_share:
        _sign_up(walk)
    walk.pause(20)
    order = {"transaction_id": f"t-{cart_id}", **common}
    if rng.random() < truth.coupon_share:
        order["coupon"] = rng.choice(walk.world.shop.catalogue.coupons)
    walk.track("purchase", **order)
    _after_purchase(walk, order)


def _sign_up(walk: Walk) -> None:
    """The newcomer gets a name: identify ties both ids, and later events carry both."""
    walk.pause(10)
    walk.ids = {"userId": f"u{walk.person.profile[1:]}", **walk.ids}
    message = {"type": "identify", **walk.ids, "traits": {"segment": walk.person.segment}}
    walk.world.tape.write(walk.at_us, {**message, "context": {"channel": walk.channel}})
    walk.track("sign_up", method="email")


def _after_purchase(walk: Walk, order: dict[str, Any]) -> None:
    """Server-side sequels, later than the visit and no part of it."""
    world, rng, truth = walk.world, walk.world.rng, walk.world.truth
    about = {"channel": walk.channel, "segment": walk.person.segment}

    def later(event: str, since_us: int, mean_us: float, **properties: object) -> int:
        then_us = since_us + world.wait_us(mean_us)
        world.tape.track(then_us, walk.ids, event, {**about, **properties})
        return then_us

    if rng.random() < truth.nps_share:
        later("nps_response", walk.at_us, 30 * MINUTE_US, score=_nps_score(world, walk.person))
    if rng.random() < truth.ticket_share:
        ticket_id = f"k-{order['transaction_id']}"
        opened_us = later("support_ticket_opened", walk.at_us, 20 * MINUTE_US, ticket_id=ticket_id)
        author = "bot" if rng.random() < 0.6 else "agent"
        replied_us = later("support_ticket_replied", opened_us, TICKET_REPLY_US, ticket_id=ticket_id, author=author)
        if rng.random() < 0.9:
            later("support_ticket_resolved", replied_us, 5 * TICKET_REPLY_US, ticket_id=ticket_id)
    if rng.random() < truth.refund_share:
        kept = {name: order[name] for name in ("transaction_id", "currency", "value", "items")}
        later("refund", walk.at_us, REFUND_US, **kept)


def _nps_score(world: World, person: Person) -> int:
    """0 to 10, about nine in the mean, lower for those about to leave."""
    mean = 6.5 if person.segment == AT_RISK else 8.6
    return max(0, min(10, round(world.rng.gauss(mean, 2.0))))


def _value(items: Basket) -> float:
    """GA4: the sum of price times quantity, in whole cents before it becomes a decimal."""
    cents: int = sum(round(item["price"] * 100) * item["quantity"] for item in items)
    return cents / 100
