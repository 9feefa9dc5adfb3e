"""Hidden-utility partners [Yu2023]: pairs are trained, and of the partners with wishes the most unlike are kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import Field, PositiveInt

from crossplay.agents.hsp import HSP, WISHED
from crossplay.agents.inference import NetworkPolicy
from crossplay.agents.ippo import IPPO
from crossplay.agents.training import Training, teach
from crossplay.benchmark.card import Card
from crossplay.benchmark.config import config, from_table
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.game import Game
from crossplay.benchmark.match import Returns, play
from crossplay.benchmark.policy import Policy
from crossplay.benchmark.registry import POLICIES
from crossplay.benchmark.seeding import derive
from crossplay.populations.generator import GENERATORS
from crossplay.populations.scripted.generator import standard

EPISODES = 32  # of a pair and seat, to count what happens; and of two rule partners


@GENERATORS.register("hsp")
@config
class HiddenUtilityPopulation:
    """`keep` partners out of `seeds`: `name`-0, `name`-3, … by their wishes' numbers."""

    name: str = Field(default="hsp", pattern=r"^[\w.-]+$")
    seeds: PositiveInt = 8  # pairs that are trained
    keep: PositiveInt = 4  # of them, the most unlike each other
    weights: tuple[float, ...] = (-20.0, -10.0, 10.0, 20.0)  # reward per event, to draw from
    most: PositiveInt = 3  # events with a weight
    reward: float = Field(default=0.5, ge=0, le=1)  # probability of wanting what the game pays as well
    trainer: IPPO = IPPO()

    def tasks(self, game: Game, out: Path, *, seed: int, device: str) -> list["Chosen"]:
        """One for all pairs. Raises Refused where more are to be kept than trained."""
        if self.keep > self.seeds:
            raise Refused(f"hsp: keep = {self.keep} of seeds = {self.seeds} given; no more can be kept than trained")
        trainer = HSP(
            events=happening(game), weights=self.weights, most=self.most, reward=self.reward, member=self.trainer
        )
        names = [f"{self.name}-{i}" for i in range(self.seeds)]
        pairs = [
            Training(f"{name}-pair", "hsp", game, trainer, out / f"{name}-pair", seed, device=device) for name in names
        ]
        return [Chosen(tuple(pairs), self.keep)]


def happening(game: Game) -> tuple[str, ...]:
    """The events that rule partners and uniform play bring about: those that can be wished for in this game."""
    makers = [partner.maker for partner in standard(game)]
    policies: list[Policy] = [
        from_table(POLICIES, m, "partner").make(game, None) for m in ({"kind": "uniform"}, *makers)
    ]
    seen = np.zeros(len(game.spec.events), dtype=np.int64)
    for number, policy in enumerate(policies):
        table = [policy, *(policies[(number + k) % len(policies)] for k in range(1, game.spec.seats))]
        seeds = [derive(0, "happening", number, seat) for seat in range(game.spec.seats)]
        found = play(game, table, episodes=EPISODES, game_seed=derive(0, "happening", number), policy_seeds=seeds)
        seen += found.events.sum(axis=(0, 1))
    return tuple(event for event, count in zip(game.spec.events, seen, strict=True) if count)


class Chosen(NamedTuple):
    """A task: pairs to train, and the choice among their partners."""

    pairs: tuple[Training, ...]
    keep: int

    def make(self) -> list[Card]:
        """The kept partners' cards. Raises Refused where no pair earns more than uniform play does."""
        missing = [pair for pair in self.pairs if not pair.done()]
        if missing:
            teach(missing, [pair.watch for pair in missing])
        cards = [card for pair in self.pairs if (card := pair.done())]
        played = [self._played(pair, card.policy(pair.game)) for pair, card in zip(self.pairs, cards, strict=True)]
        earned = [float(np.mean([one.returns.mean() for one in both])) for both in played]
        self._check(earned)
        counts = np.array([np.mean([one.events[:, s].mean(axis=0) for s, one in enumerate(b)], axis=0) for b in played])
        return [self._partner(self.pairs[i], cards[i], earned[i]) for i in sorted(most_unlike(counts, self.keep))]

    def _played(self, pair: Training, policy: Policy) -> list[Returns]:
        """The pair's matches, with the partner in seat 0 and then in seat 1."""
        assert isinstance(policy, NetworkPolicy)
        two = [NetworkPolicy(policy.net.alone(number)) for number in (WISHED, 1)]
        seeds = [derive(pair.seed, "counted", pair.name, seat) for seat in range(2)]
        return [
            play(pair.game, table, episodes=EPISODES, game_seed=seeds[0], policy_seeds=seeds)
            for table in (two, two[::-1])
        ]

    def _check(self, earned: Sequence[float]) -> None:
        game = self.pairs[0].game
        uniform = from_table(POLICIES, {"kind": "uniform"}, "uniform").make(game, None)
        seeds = [derive(0, "floor", seat) for seat in range(2)]
        floor = play(game, [uniform] * 2, episodes=EPISODES, game_seed=0, policy_seeds=seeds).returns.mean()
        if max(earned) <= floor:
            raise Refused(
                f"hsp for {game.spec.name}: nothing can be earned with any of {len(earned)} partners: pairs return "
                f"{', '.join(f'{value:.3g}' for value in earned)}, uniform play {floor:.3g}; train longer"
            )

    def _partner(self, pair: Training, card: Card, earned: float) -> Card:
        """The partner's own card, for every seat; its record says what it `earned` with its mate."""
        policy = card.policy(pair.game)
        assert isinstance(policy, NetworkPolicy)
        assert isinstance(pair.trainer, HSP)
        net, spec = policy.net.alone(WISHED), pair.game.spec
        wish = zip((*spec.events, "reward"), pair.trainer.wish(spec, pair.pupil().seed), strict=True)
        wished = {event: weight for event, weight in wish if weight}
        record = {"wish": wished, "earned": earned, "steps": card.record["steps"]}
        out = pair.out.with_name(pair.name.removesuffix("-pair"))
        return pair.card(out.name, net, record).save(out, net.contents())


def most_unlike(counts: np.ndarray, keep: int) -> list[int]:
    """Greedily, those whose event counts [n, events] differ most: event diversity [Yu2023].

    The difference of two is Σ_k |c_ik − c_jk| / max_i c_ik; the first two are the pair that differs most, then always
    whoever differs most from all that were chosen, the lower number where two do equally.
    """
    scale = counts.max(axis=0)
    shares = counts[:, scale > 0] / scale[scale > 0]
    apart = np.abs(shares[:, None] - shares[None]).sum(axis=2)
    chosen = [int(i) for i in np.unravel_index(apart.argmax(), apart.shape)][:keep] if len(counts) > 1 else [0]
    while len(chosen) < keep:
        left = [i for i in range(len(counts)) if i not in chosen]
        chosen.append(max(left, key=lambda i: (apart[i, chosen].sum(), -i)))
    return chosen
