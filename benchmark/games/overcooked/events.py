"""What is counted, per seat and step. Names and meanings are the reference's where it has them [Carroll2019].

Two departures: `tomato_pickup` and `useful_tomato_pickup` count dispensers too (the reference forgets them there),
and the last four are ours: `start_cooking`; `idle`, a chosen stay; `blocked`, a move the other cook prevented;
`wasted`, any other action that changed nothing.
"""

EVENTS = (
    "tomato_pickup",
    "useful_tomato_pickup",
    "tomato_drop",
    "useful_tomato_drop",
    "potting_tomato",
    "onion_pickup",
    "useful_onion_pickup",
    "onion_drop",
    "useful_onion_drop",
    "potting_onion",
    "dish_pickup",
    "useful_dish_pickup",
    "dish_drop",
    "useful_dish_drop",
    "soup_pickup",
    "soup_delivery",
    "soup_drop",
    "optimal_onion_potting",
    "optimal_tomato_potting",
    "viable_onion_potting",
    "viable_tomato_potting",
    "catastrophic_onion_potting",
    "catastrophic_tomato_potting",
    "useless_onion_potting",
    "useless_tomato_potting",
    "start_cooking",
    "idle",
    "blocked",
    "wasted",
)
OURS = ("start_cooking", "idle", "blocked", "wasted")  # the reference does not have these
_INDEX = {name: index for index, name in enumerate(EVENTS)}

PICKUP = tuple(_INDEX[f"{thing}_pickup"] for thing in ("onion", "tomato", "dish", "soup"))
DROP = tuple(_INDEX[f"{thing}_drop"] for thing in ("onion", "tomato", "dish", "soup"))
POTTING = tuple(_INDEX[f"potting_{thing}"] for thing in ("onion", "tomato"))
OPTIMAL = _INDEX["optimal_onion_potting"]  # the tomato's follows, then viable, catastrophic and useless pairs
DELIVERY = _INDEX["soup_delivery"]
START, IDLE, BLOCKED, WASTED = (_INDEX[name] for name in OURS)
