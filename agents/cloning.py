"""Behaviour cloning: a network learns to do what somebody was seen doing [Carroll2019]."""

from typing import NamedTuple

import numpy as np
import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor

from crossplay.agents.networks import PolicyNet
from crossplay.benchmark.config import config
from crossplay.benchmark.errors import Refused
from crossplay.benchmark.seeding import derive
from crossplay.benchmark.workers import single_threaded

CHUNK = 4096  # examples scored at once


class Examples(NamedTuple):
    """What was seen and done, n times, in games where every action is always legal."""

    features: np.ndarray  # [n, *view]
    actions: np.ndarray  # int64 [n]
    seats: np.ndarray  # int64 [n]
    games: np.ndarray  # int64 [n] number of the recorded game: neighbouring frames are far from independent

    @property
    def size(self) -> int:
        """n."""
        return len(self.actions)

    def rows(self, rows: np.ndarray) -> "Examples":
        """Some of them, by number or by mask."""
        return Examples(*(array[rows] for array in self))


class Score(NamedTuple):
    """How well a policy foretells actions."""

    log_likelihood: float  # mean log-probability of what was done, nats an action; higher is better
    accuracy: float  # share of actions that were the likeliest


class Fit(NamedTuple):
    """How a cloning went: numbers of the epoch whose weights were kept."""

    epochs: int  # over the training games
    games: tuple[int, ...]  # set aside to tell when to stop
    validation: Score  # on those


@config
class Cloning:
    """Adam on the mean negative log-likelihood; the weights of the epoch that foretells the games set aside best.

    Whole games are set aside, never frames: frames of one game foretell each other.
    """

    epochs: PositiveInt = 100  # at most
    patience: PositiveInt = 10  # epochs without a better one before it stops
    batch: PositiveInt = 256
    learning_rate: PositiveFloat = 1e-3
    weight_decay: NonNegativeFloat = 0.0  # decoupled, as in AdamW
    validation: float = Field(default=0.15, gt=0, lt=1)  # share of the games set aside, at least one of them

    def fit(self, net: PolicyNet, examples: Examples, *, seed: int, device: str = "cpu") -> Fit:
        """Trains the net's actors in place and returns it to the CPU; its critics are left as they began.

        Raises Refused where there are fewer than two games, or where the likelihood is lost.
        """
        held = self._set_aside(examples, seed)
        aside = np.isin(examples.games, held)
        luck = torch.Generator().manual_seed(derive(seed, "order"))
        actors = [p for one in net.to(device).nets for p in one.actor.parameters()]  # type: ignore[union-attr]
        optimiser = torch.optim.AdamW(actors, lr=self.learning_rate, weight_decay=self.weight_decay)
        with single_threaded():  # sums round by the number of threads
            epochs, best = self._descend(net, examples.rows(~aside), examples.rows(aside), optimiser, luck)
        net.cpu()
        return Fit(epochs, held, best)

    def _set_aside(self, examples: Examples, seed: int) -> tuple[int, ...]:
        games = np.unique(examples.games)
        if len(games) < 2:
            raise Refused(f"cloning: {len(games)} recorded games given; wanted two or more, one of them to set aside")
        count = min(max(1, round(self.validation * len(games))), len(games) - 1)
        order = torch.randperm(len(games), generator=torch.Generator().manual_seed(derive(seed, "aside")))
        return tuple(sorted(int(games[i]) for i in order[:count]))

    def _descend(
        self, net: PolicyNet, ours: Examples, aside: Examples, optimiser: torch.optim.Optimizer, luck: torch.Generator
    ) -> tuple[int, Score]:
        """Goes on until patience ends; leaves the best epoch's weights in the net."""
        best, kept, since = Score(-np.inf, 0.0), {}, 0
        for epoch in range(1, self.epochs + 1):
            for rows in torch.randperm(ours.size, generator=luck).split(self.batch):
                optimiser.zero_grad()
                loss(net, ours.rows(rows.numpy())).backward()
                optimiser.step()
            found = score(net, aside)
            if not np.isfinite(found.log_likelihood):
                raise Refused(f"cloning: the likelihood was lost in epoch {epoch}; a lower learning rate may help")
            if found.log_likelihood > best.log_likelihood:
                best, since = found, epoch
                kept = {name: value.clone() for name, value in net.state_dict().items()}
            if epoch - since >= self.patience:
                break
        net.load_state_dict(kept)
        return since, best


def log_policy(net: PolicyNet, examples: Examples) -> Tensor:
    """Log-probabilities [n, actions] that each example's own seat gives to every action."""
    device = next(net.parameters()).device
    features = torch.from_numpy(np.ascontiguousarray(examples.features)).to(device)
    logits = torch.stack([net.of(seat).logits(features) for seat in range(len(net.nets))])
    seats = torch.zeros(examples.size, dtype=torch.int64) if net.shared else torch.from_numpy(examples.seats)
    return torch.log_softmax(logits[seats.to(device), torch.arange(examples.size, device=device)], dim=-1)


def loss(net: PolicyNet, examples: Examples) -> Tensor:
    """−mean log π(a | s) over the examples, nats an action."""
    done = torch.from_numpy(examples.actions).to(next(net.parameters()).device)
    return -log_policy(net, examples).gather(1, done[:, None]).mean()


def score(net: PolicyNet, examples: Examples) -> Score:
    """How well the net foretells these examples."""
    with torch.inference_mode(), single_threaded():
        parts = [examples.rows(rows) for rows in np.split(np.arange(examples.size), range(CHUNK, examples.size, CHUNK))]
        found = torch.cat([log_policy(net, part) for part in parts]).cpu().double().numpy()
    return scored(found, examples.actions)


def scored(log_odds: np.ndarray, actions: np.ndarray) -> Score:
    """The score of log-probabilities [n, actions] for what was done [n]."""
    likelihood = float(log_odds[np.arange(len(actions)), actions].mean())
    return Score(likelihood, float((log_odds.argmax(axis=1) == actions).mean()))


def frequencies(examples: Examples, actions: int) -> np.ndarray:
    """Log-frequencies [actions] of what was done, one added to each count: the clone that looks at nothing."""
    counts = np.bincount(examples.actions, minlength=actions) + 1.0
    found: np.ndarray = np.log(counts / counts.sum())
    return found
