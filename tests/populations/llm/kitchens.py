"""Kitchens set up by hand, for the tests of macro-actions and programs."""

from crossplay.benchmark.games import Overcooked
from crossplay.benchmark.games.overcooked.state import place
from crossplay.benchmark.seeding import spread

NORTH, SOUTH, EAST, WEST, STAY, INTERACT = range(6)


def kitchen(cooks, objects=(), episodes=1, **setting):
    """Equal episodes with each seat's (place, facing, held name), and (name, place, tick) for what lies about."""
    game = Overcooked(**setting)
    state = game.reset(spread(0, episodes))
    facing = ((0, -1), (0, 1), (1, 0), (-1, 0))
    players = [{"position": p, "orientation": facing[f], "held_object": thing(h, p)} for p, f, h in cooks]
    loose = [thing(name, spot, tick) for name, spot, tick in objects]
    for row in range(episodes):
        place(state, row, {"timestep": 0, "players": players, "objects": loose})
    return game, state


def thing(name, spot, tick=-1):
    if name is None:
        return None
    if not name.startswith("soup"):
        return {"name": name, "position": spot}
    onions = [{"name": "onion", "position": spot}] * int(name.removeprefix("soup"))
    return {"name": "soup", "position": spot, "_ingredients": onions, "_cooking_tick": tick}
