"""Words and facts from which the synthetic catalogue is sampled, all invented for this project."""

from typing import NamedTuple


class ProductType(NamedTuple):
    """A kind of article and its usual price, in price units (1/59000)."""

    name: str
    group: str
    price: int
    hers: bool = False
    """Whether it is sold in women's sections only."""


class GarmentGroup(NamedTuple):
    """Articles that sell in the same season and are bought again at the same pace."""

    name: str
    peak: int
    """Day of the year on which it sells best."""
    swing: float
    """Half the log of (best day / worst day); 0 means no season."""
    repeat: float
    """How readily customers buy an article again, 1 for the average group."""
    types: tuple[ProductType, ...]


class ShopSection(NamedTuple):
    """A part of the shop: who it is for, and its price level."""

    name: str
    shop: int
    """Index into INDEXES."""
    age: float
    """Mean age of its buyers in years."""
    spread: float
    """Standard deviation of its buyers' age in years."""
    gender: int
    """1 women's, -1 men's, 0 for children's."""
    share: float
    """Its sales, relative to other sections."""
    price: float
    """Price level relative to the usual price of a product type."""
    garments: str
    """Letters of GARMENTS that it sells."""


INDEXES = (  # code, name, number and name of its group
    ("A", "Ladieswear", 1, "Ladieswear"),
    ("B", "Lingerie and legwear", 1, "Ladieswear"),
    ("C", "Ladies extras", 1, "Ladieswear"),
    ("D", "Youth", 2, "Youth"),
    ("F", "Menswear", 3, "Menswear"),
    ("G", "Baby", 4, "Children"),
    ("H", "Kids", 4, "Children"),
    ("S", "Active", 5, "Active"),
)

UPPER, LOWER, FULL = "Upper body", "Lower body", "Full body"

GARMENTS = {
    "j": GarmentGroup(
        "Jersey plain",
        170,
        0.3,
        1.7,
        (
            ProductType("T-shirt", UPPER, 799),
            ProductType("Vest top", UPPER, 599),
            ProductType("Long-sleeve", UPPER, 999),
        ),
    ),
    "f": GarmentGroup(
        "Jersey fashion",
        175,
        0.2,
        0.8,
        (
            ProductType("Top", UPPER, 1299),
            ProductType("Sweatshirt", UPPER, 1799),
            ProductType("Bodysuit", UPPER, 1299, hers=True),
        ),
    ),
    "k": GarmentGroup(
        "Knits",
        315,
        1.0,
        0.8,
        (
            ProductType("Sweater", UPPER, 2499),
            ProductType("Cardigan", UPPER, 2499),
            ProductType("Knit dress", FULL, 2999, hers=True),
        ),
    ),
    "o": GarmentGroup(
        "Outdoor wear",
        310,
        0.9,
        0.4,
        (ProductType("Jacket", UPPER, 4999), ProductType("Coat", UPPER, 5999), ProductType("Gilet", UPPER, 2999)),
    ),
    "t": GarmentGroup(
        "Woven trousers",
        80,
        0.15,
        1.1,
        (
            ProductType("Trousers", LOWER, 2499),
            ProductType("Leggings", LOWER, 999),
            ProductType("Joggers", LOWER, 1799),
        ),
    ),
    "d": GarmentGroup(
        "Denim", 110, 0.2, 1.0, (ProductType("Jeans", LOWER, 2999), ProductType("Denim jacket", UPPER, 3499))
    ),
    "r": GarmentGroup(
        "Dresses", 175, 0.7, 0.6, (ProductType("Dress", FULL, 2499), ProductType("Playsuit", FULL, 2499))
    ),
    "b": GarmentGroup(
        "Woven tops", 180, 0.4, 0.7, (ProductType("Blouse", UPPER, 1999), ProductType("Tunic", UPPER, 1999))
    ),
    "h": GarmentGroup(
        "Shirting", 120, 0.1, 0.9, (ProductType("Shirt", UPPER, 1999), ProductType("Polo shirt", UPPER, 1499))
    ),
    "s": GarmentGroup(
        "Short bottoms",
        180,
        1.5,
        0.8,
        (ProductType("Shorts", LOWER, 1499), ProductType("Skirt", LOWER, 1799, hers=True)),
    ),
    "w": GarmentGroup(
        "Swim and beach",
        160,
        2.0,
        1.1,
        (
            ProductType("Bikini top", "Swim", 1299, hers=True),
            ProductType("Swim bottoms", "Swim", 999),
            ProductType("Swimsuit", "Swim", 1999),
        ),
    ),
    "u": GarmentGroup(
        "Underwear and sleepwear",
        350,
        0.15,
        1.6,
        (
            ProductType("Bra", "Underwear", 1499, hers=True),
            ProductType("Briefs", "Underwear", 799),
            ProductType("Pyjamas", "Nightwear", 1799),
        ),
    ),
    "c": GarmentGroup(
        "Legwear",
        320,
        0.6,
        2.0,
        (ProductType("Socks", "Legwear", 499), ProductType("Tights", "Legwear", 799, hers=True)),
    ),
    "e": GarmentGroup(
        "Footwear", 150, 0.3, 0.4, (ProductType("Trainers", "Shoes", 2499), ProductType("Sandals", "Shoes", 1999))
    ),
    "a": GarmentGroup(
        "Small accessories",
        340,
        0.15,
        0.7,
        (
            ProductType("Earrings", "Accessories", 599),
            ProductType("Bag", "Accessories", 1799),
            ProductType("Scarf", "Accessories", 999),
            ProductType("Hat", "Accessories", 999),
            ProductType("Hair clip", "Accessories", 399),
        ),
    ),
    "z": GarmentGroup(
        "Babywear", 90, 0.1, 1.3, (ProductType("Romper", FULL, 999), ProductType("Baby set", FULL, 1499))
    ),
}

SECTIONS = (
    ShopSection("Her everyday", 0, 36, 13, 1, 1.6, 0.95, "jfktdrbs"),
    ShopSection("Her office", 0, 42, 11, 1, 0.9, 1.25, "ktrbho"),
    ShopSection("Her season", 0, 28, 8, 1, 0.9, 1.15, "fkotrbs"),
    ShopSection("Her essentials", 0, 38, 15, 1, 1.2, 0.75, "jtk"),
    ShopSection("Her larger sizes", 0, 46, 10, 1, 0.4, 1.05, "jfktrb"),
    ShopSection("Mother to be", 0, 31, 4, 1, 0.35, 1.1, "jftdru"),
    ShopSection("Lingerie", 1, 34, 13, 1, 1.0, 1.0, "u"),
    ShopSection("Legs and nights", 1, 38, 14, 1, 0.5, 0.9, "uc"),
    ShopSection("Beach", 1, 32, 10, 1, 0.9, 1.0, "w"),
    ShopSection("Her shoes", 2, 34, 12, 1, 0.4, 1.1, "e"),
    ShopSection("Her extras", 2, 36, 14, 1, 0.6, 0.9, "a"),
    ShopSection("Youth main", 3, 21, 4, 1, 1.5, 0.85, "jfktdrbs"),
    ShopSection("Youth extras", 3, 20, 4, 1, 0.4, 0.7, "aeu"),
    ShopSection("His everyday", 4, 36, 12, -1, 0.8, 1.0, "jfktdhs"),
    ShopSection("His office", 4, 40, 11, -1, 0.35, 1.3, "tho"),
    ShopSection("His basics", 4, 38, 14, -1, 0.5, 0.8, "jcu"),
    ShopSection("Baby first year", 5, 32, 5, 0, 0.5, 0.7, "zjt"),
    ShopSection("Kids girls", 6, 36, 6, 0, 0.6, 0.65, "jftdrswe"),
    ShopSection("Kids boys", 6, 37, 6, 0, 0.5, 0.65, "jftdswe"),
    ShopSection("Kids basics", 6, 38, 7, 0, 0.4, 0.5, "jcuo"),
    ShopSection("Her training", 7, 31, 9, 1, 0.5, 1.0, "jftu"),
    ShopSection("His training", 7, 31, 9, -1, 0.2, 1.0, "jfts"),
)

COLOURS = (  # name, tone, family; customers have a taste for families
    ("Black", "Dark", "Black"),
    ("Navy", "Dark", "Blue"),
    ("Chalk", "Light", "White"),
    ("Snow", "Light", "White"),
    ("Ash", "Medium", "Grey"),
    ("Slate", "Dark", "Grey"),
    ("Sand", "Dusty", "Beige"),
    ("Camel", "Medium", "Beige"),
    ("Sky", "Light", "Blue"),
    ("Denim blue", "Medium", "Blue"),
    ("Blush", "Light", "Pink"),
    ("Fuchsia", "Bright", "Pink"),
    ("Brick", "Dusty", "Red"),
    ("Scarlet", "Bright", "Red"),
    ("Moss", "Dark", "Green"),
    ("Mint", "Light", "Green"),
    ("Mustard", "Bright", "Yellow"),
    ("Lilac", "Light", "Pink"),
)
COLOUR_FAMILIES = tuple(dict.fromkeys(family for _, _, family in COLOURS))
COLOUR_SHARES = (
    0.24,
    0.11,
    0.10,
    0.06,
    0.06,
    0.05,
    0.06,
    0.04,
    0.05,
    0.05,
    0.05,
    0.02,
    0.02,
    0.03,
    0.04,
    0.02,
    0.02,
    0.02,
)

APPEARANCES = ("Plain", "Printed all over", "Striped", "Checked", "Marled", "Motif", "Lace-trimmed", "Sparkling")
APPEARANCE_SHARES = (0.52, 0.18, 0.08, 0.05, 0.06, 0.06, 0.03, 0.02)

FABRICS = (
    "cotton",
    "viscose",
    "linen mix",
    "ribbed jersey",
    "recycled polyester",
    "modal",
    "fine knit",
    "crinkled weave",
)
FITS = ("slim", "relaxed", "straight", "oversized", "fitted", "cropped")
DETAILS = (
    "a round neck",
    "buttons down the front",
    "a tie at the waist",
    "side pockets",
    "long, gathered sleeves",
    "an elasticated edge",
    "a lined inside",
    "small slits at the sides",
    "a hidden zip",
    "a soft, brushed finish",
)
NAME_STARTS = (
    "Al",
    "Bre",
    "Cor",
    "Da",
    "El",
    "Fen",
    "Gri",
    "Ha",
    "Is",
    "Ju",
    "Ky",
    "Lo",
    "Mar",
    "Ni",
    "Or",
    "Pel",
    "Ro",
    "Su",
)
NAME_ENDS = ("da", "lin", "mo", "nna", "ra", "sel", "to", "va", "wen", "xa", "by", "dor")
