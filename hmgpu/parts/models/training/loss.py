"""The loss of the models that retrieve: an in-batch sampled softmax, corrected for how its negatives were sampled."""

import torch
from torch.nn import functional


def sampled_softmax(
    customers: torch.Tensor,
    articles: torch.Tensor,
    bought: torch.Tensor,
    keys: torch.Tensor,
    log_draws: torch.Tensor,
    temperature: float,
    weights: torch.Tensor,
    possible: torch.Tensor | None = None,
    more: torch.Tensor | float = 0.0,
) -> torch.Tensor:
    """Return the weighted mean cross-entropy of each customer's own article among all articles of the batch.

    The negatives are what other customers bought, so popular articles are sampled often and would be pushed down too
    hard. Subtracting the logarithm of how often each is expected in the batch corrects that (Bengio & Senécal 2008; Yi
    et al. 2019, "Sampling-bias-corrected neural modeling for large corpus item recommendations"). An article that is
    by chance the one that a customer bought does not count as a negative for that customer.

    Args:
        customers: (batch, dimensions) vectors of length 1.
        articles: (batch + extra, dimensions) vectors of length 1; row i < batch is what customer i bought.
        bought: (batch,) key of the article that each customer bought.
        keys: (batch + extra,) key of each article.
        log_draws: (batch + extra,) logarithm of how many times each article is expected among all that are sampled.
        temperature: divides the cosine; .05 lets unit vectors express strong preferences.
        weights: (batch,) weight of each example.
        possible: (batch, batch + extra) whether an article may be a negative of a customer; None: all may.
        more: (batch, batch + extra) what is added to the logits.

    Returns:
        A scalar in nats; a model without any preference gets ln(batch) on uniform data.
    """
    # Within autocast a product comes in bfloat16, whatever its factors: an error of .07 at a temperature of .05.
    with torch.autocast(customers.device.type, enabled=False):
        logits = customers.float() @ articles.float().T / temperature + more - log_draws
    own = torch.arange(len(customers), device=customers.device)
    accidental = bought[:, None] == keys[None, :]
    left_out = accidental if possible is None else accidental | ~possible
    left_out[own, own] = False
    losses = functional.cross_entropy(logits.masked_fill(left_out, float("-inf")), own, reduction="none")
    return (losses * weights).sum() / weights.sum()
