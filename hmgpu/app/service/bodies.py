"""What is asked and answered, with examples for the OpenAPI page."""

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from hmgpu.serving.baskets import MOST, Basket, Purchase

MOST_K, MOST_CUSTOMERS, MOST_EXCLUDED = 1_000, 1_000, 100
ID = Annotated[str, Field(min_length=1, max_length=256)]
K = Annotated[int | None, Field(ge=1, le=MOST_K, description="How many articles; without it all of a list.")]
Exclude = Annotated[
    list[ID], Field(max_length=MOST_EXCLUDED, description="Articles that must not be in a list, such as sold-out ones.")
]
CUSTOMER = "00007d2de826758b65a93dd24ce629ed66842531df6699338c5570910a014cc2"
ARTICLE, OTHER = "0706016001", "0372860001"
RUN = "2020-09-22-c63def7b"


class Body(BaseModel):
    """What somebody sends; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=None)


class Customers(Body):
    """Customers whose lists are asked for."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"customers": [CUSTOMER], "k": 6, "exclude": [ARTICLE]}]})

    customers: Annotated[list[ID], Field(min_length=1, max_length=MOST_CUSTOMERS)]
    k: K = None
    exclude: Exclude = []


class Bought(Body):
    """Units of an article that were bought."""

    article: ID
    day: Annotated[
        date | None,
        Field(description="Without it, the last day that the run knows, as which later days count, too."),
    ] = None
    price: Annotated[
        float | None,
        Field(
            ge=0, allow_inf_nan=False, description="Paid for a unit, as in the data; needed where these have prices."
        ),
    ] = None
    channel: Annotated[ID | None, Field(description="One of `data.channels`; needed where the data have channels.")] = (
        None
    )
    units: Annotated[int, Field(ge=1, le=MOST)] = 1


class SentBasket(Body):
    """All that one customer bought."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "purchases": [
                        {"article": ARTICLE, "day": "2020-09-15", "price": 0.0339, "channel": "2"},
                        {"article": OTHER, "day": "2020-09-20", "price": 0.0135, "channel": "1", "units": 2},
                    ],
                    "profile": {"age": 31, "club": "ACTIVE"},
                    "k": 6,
                }
            ]
        }
    )

    purchases: Annotated[list[Bought], Field(max_length=MOST)] = []
    customer: Annotated[
        ID | None, Field(description="A customer of the run, whose age and other attributes count then.")
    ] = None
    profile: Annotated[
        dict[str, str | int | float | None],
        Field(max_length=16, description="Attributes of a customer whom the run doesn't know: age, club, news, …"),
    ] = {}
    k: K = None
    exclude: Exclude = []
    explain: Annotated[bool, Field(description="Whether `reasons` says why each article is on the list.")] = False

    def basket(self) -> Basket:
        """Return it as the run takes it."""
        purchases = [Purchase(each.article, each.day, each.price, each.channel, each.units) for each in self.purchases]
        return Basket(purchases, self.customer, self.profile, frozenset(self.exclude), self.explain)


class Recommended(BaseModel):
    """A customer's list, the best article first."""

    run: Annotated[str, Field(examples=[RUN])]
    customer: Annotated[str, Field(examples=[CUSTOMER])]
    known: Annotated[bool, Field(description="Whether the run knows the customer; others get the best sellers.")]
    articles: Annotated[list[str], Field(examples=[[ARTICLE, OTHER]])]


class Lists(BaseModel):
    """Lists in the order in which they were asked for, all of one run."""

    run: Annotated[str, Field(examples=[RUN])]
    recommendations: list[Recommended]


class Proposal(BaseModel):
    """A retriever that proposed an article."""

    retriever: Annotated[str, Field(examples=["copurchase"])]
    rank: Annotated[int, Field(examples=[2])]
    score: Annotated[float, Field(examples=[0.41])]


class Why(BaseModel):
    """Why an article is on a list."""

    article: Annotated[str, Field(examples=[ARTICLE])]
    sentence: Annotated[
        str, Field(description="For the customer.", examples=["Bought together with your Jersey top; best seller."])
    ]
    retrievers: list[Proposal]
    contributions: Annotated[
        dict[str, dict[str, float]],
        Field(
            description="By stage, what each part of the config adds to the score (Shapley values), and what every "
            "candidate starts from; empty where a score isn't such a sum.",
            examples=[{"score": {"average": -1.2, "features.price_fit": 0.3, "retrievers": 0.1}}],
        ),
    ]


class Explained(BaseModel):
    """A customer's list with its reasons, the best article first."""

    run: Annotated[str, Field(examples=[RUN])]
    customer: Annotated[str, Field(examples=[CUSTOMER])]
    reasons: list[Why]


class ForBasket(BaseModel):
    """The list for a basket, the best article first."""

    run: Annotated[str, Field(examples=[RUN])]
    articles: Annotated[list[str], Field(examples=[[ARTICLE, OTHER]])]
    unknown_articles: Annotated[
        list[str], Field(description="Articles of the basket that the run doesn't know, which count for nothing.")
    ]
    reasons: Annotated[list[Why], Field(description="Of each article, where `explain` asks for it.")]


class Similar(BaseModel):
    """An article that is near another one."""

    article: Annotated[str, Field(examples=[OTHER])]
    cosine: Annotated[float, Field(examples=[0.93])]


class Neighbours(BaseModel):
    """The articles on sale that are nearest to an article, the nearest first."""

    run: Annotated[str, Field(examples=[RUN])]
    article: Annotated[str, Field(examples=[ARTICLE])]
    by: Annotated[str, Field(description="The space of vectors.", examples=["two_tower"])]
    similar: list[Similar]


class Health(BaseModel):
    """What is served."""

    status: Annotated[str, Field(description="ok; stale while the run that is current can't be loaded.")]
    run: Annotated[str, Field(examples=[RUN])]
    since: Annotated[str, Field(description="When it was loaded, UTC.", examples=["2020-09-23T04:10:00+00:00"])]
    customers: int
    spaces: Annotated[list[str], Field(description="Of vectors, for similar articles.", examples=[["two_tower"]])]
    baskets: Annotated[str, Field(description="ok, or why there are none.")]
    problem: Annotated[str | None, Field(description="Why the current run is not served.")]


class Problem(BaseModel):
    """What is wrong, in a sentence."""

    error: Annotated[str, Field(examples=["k is 40: lists have 12 articles (lists.k), so it must be 1 to 12."])]


def problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Return, for the OpenAPI page, that these statuses come with a `Problem`."""
    return {code: {"model": Problem} for code in codes}
