"""Messages: sent, delivered, and what became of them.

A message is (source, delivery id); without an id a touch is a message of its own. Clocks of senders differ, so a
receipt that seems to come before its cause still counts. Source: kpis.md sections 6 and 7.6.
"""

import narwhals as nw

from cockpit.measures.following import DAY_US, Frame, claim, counted, first_of_each, named, with_next, within

RECEIPT_US = DAY_US
REPLY_US = 7 * DAY_US  # also opens and unsubscribes
CLICK_US = 5 * DAY_US
PURCHASE_US = 5 * DAY_US
REACH_DAYS = 12  # from the sent to the purchase: a receipt, a click and a purchase, and a day's beginning

NAMES = {  # touch: the instant of its first, of one message
    "message_sent": "sent_at",
    "message_delivered": "delivered_at",
    "message_opened": "opened_at",
    "message_clicked": "clicked_at",
    "message_replied": "replied_at",
    "message_unsubscribed": "unsubscribed_at",
}
KEYS = ("source", "delivery_id")
DESCRIBED = ("day", "channel", "segment", "use_case", "experience_id", "profile_id")
DIMENSIONS = ("channel", "segment", "use_case", "experience_id")
MEASURES = (
    "messages_sent", "messages_sent_delivered", "messages_delivered", "messages_opened", "messages_clicked",
    "messages_replied", "messages_converted", "messages_unsubscribed",
)  # fmt: skip


def messages(touches: Frame) -> Frame:
    """One row per message that was sent or delivered: KEYS, DESCRIBED and the first instant of each of NAMES or null.

    It is described by its first message_sent, else by its first message_delivered; `purchased_at` is the first purchase
    of the profile, at any source, from the first click on.
    """
    touched = named(touches, *NAMES).with_columns(
        delivery_id=nw.coalesce("subject", nw.concat_str([nw.lit("m:"), nw.col("message_id")]))
    )
    firsts = [nw.when(nw.col("name") == name).then(nw.col("occurred_at")).min().alias(at) for name, at in NAMES.items()]
    found = touched.group_by(*KEYS).agg(*firsts)
    begun = named(touched, "message_sent", "message_delivered").with_columns(
        rank=claim(nw.col("name") != "message_sent")
    )
    described = first_of_each(begun, KEYS, ("rank", "occurred_at", "message_id")).select(*KEYS, *DESCRIBED)
    purchases = named(touches, "purchase")
    joined = described.join(found, on=list(KEYS), how="left")
    return with_next(joined, purchases, ("profile_id",), "purchased_at", "clicked_at")


def message_measures(touches: Frame) -> Frame:
    """MEASURES by day and DIMENSIONS: of messages, never of touches.

    Only a message that was delivered can be opened, clicked, replied to or unsubscribed from, each within its window
    after the delivery, and only one so clicked can convert.
    """
    judged = messages(touches).with_columns(
        messages_sent=claim(~nw.col("sent_at").is_null()),
        messages_sent_delivered=claim(within("delivered_at", "sent_at", RECEIPT_US, skewed=True)),
        messages_delivered=claim(~nw.col("delivered_at").is_null()),
        messages_opened=claim(within("opened_at", "delivered_at", REPLY_US, skewed=True)),
        messages_clicked=claim(within("clicked_at", "delivered_at", CLICK_US, skewed=True)),
        messages_replied=claim(within("replied_at", "delivered_at", REPLY_US, skewed=True)),
        messages_unsubscribed=claim(within("unsubscribed_at", "delivered_at", REPLY_US, skewed=True)),
    )
    is_converted = (nw.col("messages_clicked") == 1) & within("purchased_at", "clicked_at", PURCHASE_US)
    return counted(judged.with_columns(messages_converted=claim(is_converted)), DIMENSIONS, MEASURES)
