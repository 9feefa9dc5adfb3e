"""The closed vocabulary of macro-actions and of what programs may ask about; no word outside it means anything."""

from typing import NamedTuple

GET, PUT, START, PLATE, DELIVER, DROP, PASS, PICK, WAIT, ASIDE = range(10)  # verbs
NEAREST, FULLEST, EMPTIEST = -1, -2, -3  # pots by what they are like, instead of by number
THINGS = ("nothing", "onion", "tomato", "dish", "soup")  # numbered as in the view "symbols"
DISPENSED = THINGS[1:4]
WAITS = range(1, 6)
POTS = 4  # programs may name pots 0 to 3
UNREACHABLE = 99  # of every distance and waiting time in steps


class Macro(NamedTuple):
    """One macro-action: a name, what to do, and with which pot, thing or number of steps."""

    name: str
    verb: int
    arg: int = 0


def macros(pots: int) -> tuple[Macro, ...]:
    """The macro-actions of a kitchen with so many pots, in the order in which they are numbered."""
    return (
        *(Macro(f"get {thing}", GET, THINGS.index(thing)) for thing in DISPENSED),
        *(Macro(f"put in pot {p}", PUT, p) for p in range(pots)),
        *(Macro(f"start pot {p}", START, p) for p in range(pots)),
        *(Macro(f"plate soup {p}", PLATE, p) for p in range(pots)),
        Macro("deliver", DELIVER),
        Macro("put on counter", DROP),
        Macro("hand over", PASS),
        *(Macro(f"pick {thing} from counter", PICK, number) for number, thing in enumerate(THINGS) if number),
        *(Macro(f"wait {steps}", WAIT, steps) for steps in WAITS),
        Macro("step aside", ASIDE),
    )


ORDERS = {
    macro.name: macro
    for macro in (
        *macros(POTS),
        Macro("put in nearest pot", PUT, NEAREST),
        Macro("put in fullest pot", PUT, FULLEST),
        Macro("put in emptiest pot", PUT, EMPTIEST),
        Macro("start nearest pot", START, NEAREST),
        Macro("plate nearest soup", PLATE, NEAREST),
        Macro("plate soonest soup", PLATE, FULLEST),
    )
}  # what a program's rule may do
OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
PREDICATES = {
    "holding": "what I hold: nothing, onion, tomato, dish or soup",
    "partner_holding": "what my partner holds",
    "pots": "pots in the kitchen",
    "pots_open": "pots that nobody has started and that still have room",
    "pots_to_start": "pots that hold a whole order and wait for somebody to start them; 0 where pots start themselves",
    "fullest_pot": "ingredients in the fullest of the open pots",
    "onions_wanted": "onions that the open pots still want, together",
    "tomatoes_wanted": "tomatoes that the open pots still want, together",
    "soups_cooking": "soups on the fire that are not ready",
    "soups_ready": "soups that are ready in their pots",
    "ticks_to_soup": "steps until the first soup is ready; 99 where none cooks",
    "onion_distance": "actions until I could take an onion from a dispenser; 99 where I cannot get there now",
    "tomato_distance": "the same for a tomato",
    "dish_distance": "the same for a dish",
    "pot_distance": "the same to the nearest pot",
    "window_distance": "the same to the serving window",
    "partner_onion_distance": "my partner's actions to an onion dispenser",
    "partner_tomato_distance": "my partner's to a tomato dispenser",
    "partner_dish_distance": "my partner's to a dish dispenser",
    "partner_pot_distance": "my partner's to the nearest pot",
    "partner_window_distance": "my partner's to the serving window",
    "partner_distance": "rows plus columns between us",
    "counter_onions": "onions on counters that I can reach",
    "counter_tomatoes": "tomatoes there",
    "counter_dishes": "dishes there",
    "counter_soups": "soups there",
    "handover_free": "free counters where things can be handed to the other side",
    "onion_side": "1 where the part of the kitchen I can walk in has an onion dispenser, else 0",
    "tomato_side": "1 where it has a tomato dispenser",
    "dish_side": "1 where it has a dish dispenser",
    "pot_side": "1 where it has a pot",
    "window_side": "1 where it has a serving window",
    "partner_pot_side": "1 where my partner's part has a pot",
    "partner_window_side": "1 where my partner's part has a serving window",
    "partner_idle": "steps since my partner last moved, turned or changed what it holds, 99 at most",
    "partner_faces_me": "1 while my partner faces the cell I stand in",
    "blocked": "1 where I was just blocked for three steps",
    "steps": "steps played",
    "hurry": "1 when fewer than 40 steps remain",
    "seat": "my seat, 0 or 1",
}  # name → what it counts, in the order in which the compiled interpreter numbers them
