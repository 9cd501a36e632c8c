"""Silhouettes of what is worn on the upper or lower body, or both."""

from hmgpu.data.synthetic.pictures.cuts import (
    ARMHOLES,
    COLLAR,
    CUFFS,
    FLY,
    LAPELS,
    LONG,
    NECK,
    POCKETS,
    SHORT,
    THREE_QUARTERS,
    WAISTBAND,
    WIDE_LONG,
    jersey,
    shirt,
    top,
    trousers,
    vest,
)
from hmgpu.data.synthetic.pictures.outline import Silhouette, both, placket, ribs, rows, whole

CLOTHES: dict[str, Silhouette] = {
    "T-shirt": jersey(SHORT, 106, (((-24, 102), (24, 102)),)),
    "Vest top": Silhouette((vest(104),), (((-22, 100), (22, 100)),), motif=(0, 66)),
    "Long-sleeve": jersey(LONG, 106, CUFFS),
    "Top": Silhouette((top(88, 25, 30, 25), *both(SHORT)), ARMHOLES, (whole((0, 19), (12, 20), (0, 27)),)),
    "Sweatshirt": jersey(WIDE_LONG, 102, (*ribs(96, 6, 24), *both(((34, 93), (44, 88)))), 27),
    "Bodysuit": Silhouette(
        (whole((0, 40), (9, 20), (14, 20), (16, 38), (22, 48), (19, 74), (24, 90), (8, 112), (0, 113)),),
        both(((24, 90), (10, 96), (8, 112))),
        motif=(0, 62),
    ),
    "Sweater": Silhouette(
        (top(104, 28, 28, 22), *both(WIDE_LONG), whole((0, 12), (9, 13), (11, 24), (0, 26))),
        (*ribs(96, 8, 27, 2.5), *ARMHOLES, *ribs(13, 10, 9, 2.5), *both(((34, 93), (44, 88)))),
    ),
    "Cardigan": Silhouette(
        (whole((0, 62), (9, 19), (22, 24), (26, 40), (26, 104), (0, 105)), *both(WIDE_LONG)),
        (((0, 62), (0, 105)), *both(((3, 62), (12, 21)), ((34, 93), (44, 88))), *ARMHOLES, *ribs(98, 6, 26)),
        (whole((0, 16), (9, 18), (0, 60)),),
        placket(66, 100, 4),
        motif=(14, 56),
    ),
    "Knit dress": Silhouette(
        (top(117, 21, 27, 22), *both(LONG), whole((0, 12), (9, 13), (11, 24), (0, 26))),
        (*ribs(111, 6, 25, 2.5), *ARMHOLES, *ribs(13, 10, 9, 2.5), *CUFFS),
    ),
    "Jacket": Silhouette(
        (top(98, 28, 28), *both(WIDE_LONG), whole((0, 18), (10, 13), (14, 22), (0, 32))),
        (((0, 28), (0, 98)), *ARMHOLES, *both(((12, 72), (22, 68)), ((34, 93), (44, 88))), *rows(93, 93, 5, 28)),
        (NECK,),
        motif=(14, 48),
    ),
    "Coat": Silhouette(
        (top(119, 25, 32), *both(LONG)),
        (*LAPELS, *ARMHOLES, ((0, 52), (0, 119)), *rows(72, 78, 6, 25), *both(((12, 90), (23, 88)))),
        (NECK,),
        ((-5, 60), (5, 60), (-5, 86), (5, 86), (-5, 98), (5, 98)),
        motif=(15, 50),
    ),
    "Gilet": Silhouette(
        (whole((0, 14), (9, 13), (11, 22), (22, 26), (20, 46), (26, 56), (26, 104), (0, 105)),),
        (((0, 16), (0, 105)), *rows(36, 100, 10, 26)),
    ),
    "Trousers": Silhouette((trousers(23, 21, 6),), (*FLY, WAISTBAND, *both(((13, 50), (13, 116)))), motif=(12, 70)),
    "Leggings": Silhouette((trousers(20, 12, 5),), (WAISTBAND,), motif=(11, 64)),
    "Joggers": Silhouette(
        (trousers(24, 16, 6),),
        (WAISTBAND, *both(((7, 110), (16, 110)), ((16, 24), (21, 44)), ((2, 18), (4, 34)))),
        motif=(13, 66),
    ),
    "Jeans": Silhouette(
        (trousers(22, 18, 6),),
        (*FLY, WAISTBAND, *both(((16, 36), (19, 42), (16, 116)), ((6, 114), (18, 114)), ((5, 13), (5, 18)))),
        buttons=((0, 15),),
        motif=(12, 68),
    ),
    "Denim jacket": Silhouette(
        (top(94, 26, 25), *both(LONG)),
        (*COLLAR, *ARMHOLES, *CUFFS, *POCKETS, ((0, 30), (0, 94)), *rows(88, 88, 4, 25)),
        (NECK,),
        placket(40, 90, 5),
    ),
    "Dress": Silhouette(
        (whole((0, 40), (8, 20), (14, 19), (17, 38), (20, 44), (14, 62), (34, 117), (0, 119)),),
        (((-14, 62), (14, 62)), *both(((5, 64), (12, 116)), ((10, 64), (23, 116)))),
        (whole((0, 19), (9, 20), (0, 36)),),
        motif=(0, 90),
    ),
    "Playsuit": Silhouette(
        (whole((0, 40), (8, 20), (14, 19), (17, 38), (21, 46), (16, 66), (29, 106), (5, 106), (2, 84), (0, 84)),),
        (((-16, 66), (16, 66)), ((0, 66), (0, 84)), *both(((6, 102), (28, 102)))),
        motif=(0, 54),
    ),
    "Blouse": Silhouette(
        (top(102, 24, 29), *both(((22, 24), (38, 40), (47, 88), (38, 94), (32, 94), (24, 54)))),
        (*ARMHOLES, *both(((32, 90), (44, 88)), ((0, 32), (10, 26), (10, 38), (0, 32)), ((0, 32), (5, 52)))),
        (NECK,),
        motif=(13, 60),
    ),
    "Tunic": Silhouette(
        (top(116, 25, 34, 40), *both(THREE_QUARTERS)),
        (*ARMHOLES, ((0, 40), (0, 58)), *both(((9, 20), (2, 40)))),
        (whole((0, 18), (8, 20), (0, 38)),),
        motif=(0, 74),
    ),
    "Shirt": shirt(LONG, 108, 6),
    "Polo shirt": shirt(SHORT, 104, 1),
    "Shorts": Silhouette(
        (whole((0, 34), (22, 34), (33, 92), (4, 94), (2, 66), (0, 66)),),
        (((-23, 41), (23, 41)), ((0, 41), (0, 66)), *both(((5, 88), (32, 87)), ((12, 41), (24, 54)))),
        buttons=((0, 37.5),),
        motif=(17, 72),
    ),
    "Skirt": Silhouette(
        (whole((0, 28), (17, 28), (36, 106), (0, 109)),),
        (((-18, 35), (18, 35)), *both(((6, 36), (12, 107)), ((12, 36), (24, 106)))),
        motif=(0, 76),
    ),
}
"""By the name of the product type."""
